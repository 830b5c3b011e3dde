-- One bounded step over the unresolved intents of a venue: a claim whose time ran out becomes a doubt, and what is no longer
-- unresolved leaves the in-flight set. Asks nobody: who looks at the venue is decided by the caller.
-- KEYS  1 in-flight set  2… records
-- ARGV  1… members of the in-flight set, in the order of the records
-- Reply member state owner, for each that is unresolved and whom no live lease holds
--#include record

local now = redisTime()
local open = {}
for i, member in ipairs(ARGV) do
  local keyRecord = KEYS[i + 1]
  local record = parseRecord(redis.call('GET', keyRecord))
  local state = record and record.state
  if not record or state == 'DONE' or state == 'REJECTED' or state == 'RELEASED' then
    redis.call('ZREM', KEYS[1], member)
  elseif now >= record.leaseUntil then
    if state == 'CLAIMED' then
      record.state, record.leaseUntil = 'UNKNOWN', 0
      record.payload = cjson.encode({ why = 'the claim ran out before its outcome was known' })
      saveDoubt(keyRecord, KEYS[1], member, record)
    end
    open[#open + 1], open[#open + 2], open[#open + 3] = member, record.state, record.owner
  end
end
return open
