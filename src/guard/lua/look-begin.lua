-- Takes the right to ask the venue what became of an act. One looker at a time; its lease ends by itself.
-- KEYS  1 record  2 in-flight set
-- ARGV  1 member of the in-flight set  2 looker  3 owner that Temporal has given up ('' if none)  4 fingerprint
--       5 look lease ms  6 quiescence ms, from now, for an act whose record is gone  7 most looks before MANUAL
--       8 refusal (JSON) that ends an act that surely did not happen ('' to leave it RELEASED)
--       9 ttl ms of a resolved record
-- Reply LOOK lookFence msToQuiescence sends looks absents msSinceFirstAbsent msSinceCreated | DONE payload owner attempts
--       | REJECTED payload owner attempts | RELEASED sends | MANUAL evidence | BUSY ms | CONFLICT
--#include record

local keyRecord, keyInflight = KEYS[1], KEYS[2]
local member, looker, givenUp, fingerprint = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local leaseMs, quiesceMs, mostLooks = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local refusal, ttlMs = ARGV[8], ARGV[9]

local now, micros = redisTime()
local record = parseRecord(redis.call('GET', keyRecord))
if not record then
  record = newRecord(now, fingerprint)
  record.state, record.quiesceAt, record.owner, record.sends = 'UNKNOWN', now + quiesceMs, givenUp, 1
end
if conflicts(record, fingerprint) then return { 'CONFLICT' } end
local state = record.state
if state == 'DONE' or state == 'REJECTED' then return { state, record.payload, record.owner, text(record.attempts) } end
if state == 'RELEASED' then
  local changed = giveUp(record, givenUp)
  if refusal ~= '' then
    record.state, record.payload, record.settledAt, record.givenUp, changed = 'REJECTED', refusal, now, '', true
  end
  if changed then saveResolved(keyRecord, keyInflight, member, record, ttlMs) end
  if refusal ~= '' then return { 'REJECTED', record.payload, record.owner, text(record.attempts) } end
  return { 'RELEASED', text(record.sends) }
end
if state == 'MANUAL' then
  if giveUp(record, givenUp) then saveDoubt(keyRecord, keyInflight, member, record) end
  return { 'MANUAL', record.payload }
end
local live = now < record.leaseUntil
if state == 'CLAIMED' and live and record.owner ~= givenUp then return { 'BUSY', text(record.leaseUntil - now) } end
if state == 'RECONCILING' and live and record.attempt ~= looker then
  return { 'BUSY', text(record.leaseUntil - now) }
end

giveUp(record, givenUp)
if record.looks >= mostLooks then
  record.state, record.leaseUntil = 'MANUAL', 0
  saveDoubt(keyRecord, keyInflight, member, record)
  return { 'MANUAL', record.payload }
end
local sinceAbsent = record.absents > 0 and now - record.absentAt or 0
record.state, record.lookFence, record.lookAt = 'RECONCILING', math.max(record.lookFence + 1, micros), now
record.attempt, record.leaseUntil, record.looks = looker, now + leaseMs, record.looks + 1
saveDoubt(keyRecord, keyInflight, member, record)
return { 'LOOK', text(record.lookFence), text(math.max(record.quiesceAt - now, 0)), text(record.sends),
  text(record.looks), text(record.absents), text(sinceAbsent), text(math.max(now - record.createdAt, 0)) }
