#!/bin/sh
# Creates Temporal's two databases and brings their schemas up to date. Doing it again changes nothing.
set -eu

tool() {
  temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u temporal --db "$1" "$2" $3
}

for database in temporal temporal_visibility; do
  case $database in
    temporal) versions=/etc/temporal/schema/postgresql/v12/temporal/versioned ;;
    *) versions=/etc/temporal/schema/postgresql/v12/visibility/versioned ;;
  esac
  tool "$database" create ''
  tool "$database" setup-schema '-v 0.0'
  tool "$database" update-schema "-d $versions"
done
