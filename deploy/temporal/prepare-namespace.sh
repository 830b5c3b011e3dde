#!/bin/sh
# Prepares a namespace for fillsafe with the temporal CLI: retention of 72 h, the life of a guard record, and the search
# attributes. Doing it again changes nothing. TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the like as for the CLI.
set -eu
namespace=${TEMPORAL_NAMESPACE:-default}

# Runs a question until it is answered, for at most a minute: a server that starts, a namespace that is not known everywhere yet.
wait_for() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "no answer within a minute: $*" >&2; exit 1; }
    sleep 1
  done
}

wait_for temporal operator cluster health
if temporal operator namespace describe -n "$namespace" >/dev/null 2>&1; then
  temporal operator namespace update -n "$namespace" --retention 72h
else
  temporal operator namespace create -n "$namespace" --retention 72h
fi

wait_for temporal operator search-attribute list -n "$namespace"
known=$(temporal operator search-attribute list -n "$namespace")
for name in FillsafeJobType FillsafeVenue FillsafeSymbol FillsafeIntent FillsafeOutcome; do
  if ! echo "$known" | grep -qw "$name"; then
    temporal operator search-attribute create -n "$namespace" --name "$name" --type Keyword
  fi
done
echo "namespace $namespace is ready for fillsafe"
