-- Looks whether Redis still holds what the caller has seen of a venue's store; makes the store where there is none.
-- KEYS  1 store
-- ARGV  1 epoch that the caller has seen ('' if none)  2 GOs it has seen  3 quiescence ms
--       4 1 if it is known that no act was ever done: a missing store is then a new one, not a lost one
-- Reply mark
--#include record
--#include store

local now, micros = redisTime()
local raw = redis.call('GET', KEYS[1])
local store, changed = readStore(raw, now, micros, tonumber(ARGV[3]), ARGV[1], tonumber(ARGV[2]))
if not raw and ARGV[4] == '1' then store.suspectUntil, store.why = 0, '' end
if changed then redis.call('SET', KEYS[1], packStore(store)) end
return { markOf(store, now) }
