-- A person's decision on an act that only a person can decide. The decision and its audit row are one step.
-- KEYS  1 record  2 in-flight set  3 audit stream
-- ARGV  1 member of the in-flight set  2 done | absent | rejected  3 payload (JSON)  4 actor  5 reason
--       6 ttl ms of a resolved record  7 what the venue showed
-- Reply OK state attempts | REFUSED state | EARLY ms
--#include record

local member, decision, payload = ARGV[1], ARGV[2], ARGV[3]
local now = redisTime()
local record = parseRecord(redis.call('GET', KEYS[1]))
if not record then return { 'REFUSED', 'ABSENT' } end
if record.state ~= 'MANUAL' then return { 'REFUSED', record.state } end

-- Its last request may still take effect: "it did not happen" would let the next one leave beside it.
if decision == 'absent' and now < record.quiesceAt then return { 'EARLY', text(record.quiesceAt - now) } end

local DECIDED = { done = 'DONE', absent = 'RELEASED', rejected = 'REJECTED' }
clearDoubt(record)
record.state, record.payload, record.settledAt = DECIDED[decision], payload, now
if decision ~= 'absent' then record.givenUp = '' end
-- A person has accounted for every request that left: the budget of sends starts anew.
if decision == 'absent' then
  record.sends = 0
  -- Not to be taken for one of which nothing was ever sent.
  record.fence = math.max(record.fence, 1)
end
saveResolved(KEYS[1], KEYS[2], member, record, ARGV[6])
redis.call('XADD', KEYS[3], '*', 'what', 'resolve', 'intent', member, 'decision', decision, 'actor', ARGV[4],
  'reason', ARGV[5], 'shown', ARGV[7])
return { 'OK', record.state, text(record.attempts) }
