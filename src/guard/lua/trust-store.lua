-- A person vouches for what Redis holds: acts go on without being looked up first. The decision and its audit row are one step.
-- KEYS  1 store  2 audit stream
-- ARGV  1 actor  2 reason
-- Reply mark | ABSENT
--#include record
--#include store

local now = redisTime()
local raw = redis.call('GET', KEYS[1])
if not raw then return { 'ABSENT' } end
local store = parseStore(raw)
redis.call('XADD', KEYS[2], '*', 'what', 'trust', 'suspected', store.why, 'actor', ARGV[1], 'reason', ARGV[2])
store.suspectUntil, store.why = 0, ''
redis.call('SET', KEYS[1], packStore(store))
return { markOf(store, now) }
