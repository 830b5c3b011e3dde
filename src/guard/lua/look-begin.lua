-- Takes the right to ask the venue what became of an act. One looker at a time; its lease ends by itself.
-- KEYS  1 record  2 store  then, where a breaker may hold the look, those of levels.lua  last: in-flight set
-- ARGV  1 member of the in-flight set  2 looker  3 owner that Temporal has given up ('' if none)  4 fingerprint
--       5 look lease ms  6 quiescence ms, from now, for an act whose record is gone  7 most looks before MANUAL
--       8 refusal (JSON) that ends an act that was sent and surely did not happen ('' to leave it RELEASED)
--       9 ttl ms of a resolved record  10 epoch of the store that the worker has seen ('' if none)  11 GOs it has seen
--       12 names of the levels: the venue, look-ups, and maybe the account (absent: nothing may hold it)  13 their settings
-- Reply LOOK mark lookFence msToQuiescence neverSent looks absents msSinceFirstAbsent msSinceCreated wouldBlock turns
--       | OPEN mark ms level why turns | DONE mark payload owner attempts | REJECTED mark payload owner attempts | RELEASED mark neverSent
--       | MANUAL mark evidence | BUSY mark ms | CONFLICT mark
--#include record
--#include store
--#include window
--#include breaker
--#include half-open
--#include ramp
--#include orders
--#include levels
--#include judge

local keyRecord, keyStore, keyInflight = KEYS[1], KEYS[2], KEYS[#KEYS]
local member, looker, givenUp, fingerprint = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local leaseMs, quiesceMs, mostLooks = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local refusal, ttlMs = ARGV[8], ARGV[9]

local now, micros = redisTime()
local raw = redis.call('MGET', unpack(KEYS, 1, #KEYS - 1))
local record = parseRecord(raw[1])
local store, storeChanged = readStore(raw[2], now, micros, quiesceMs, ARGV[10], tonumber(ARGV[11]))
if storeChanged then redis.call('SET', keyStore, packStore(store)) end

local function answer(kind, ...)
  return { kind, markOf(store, now), ... }
end

if not record then
  record = newRecord(now, fingerprint)
  record.state, record.quiesceAt, record.owner, record.sends = 'UNKNOWN', now + quiesceMs, givenUp, 1
end
if conflicts(record, fingerprint) then return answer('CONFLICT') end
local state = record.state
local untouched = neverSent(record) and '1' or '0'
if state == 'DONE' or state == 'REJECTED' then return answer(state, record.payload, record.owner, text(record.attempts)) end
-- While the store is suspected a GO after the release may have been lost: then it is looked at like any doubt.
if state == 'RELEASED' and now >= store.suspectUntil then
  local changed, ends = giveUp(record, givenUp), refusal ~= '' and untouched == '0'
  if ends then
    record.state, record.payload, record.settledAt, record.givenUp, changed = 'REJECTED', refusal, now, '', true
  end
  if changed then saveResolved(keyRecord, keyInflight, member, record, ttlMs) end
  if ends then return answer('REJECTED', record.payload, record.owner, text(record.attempts)) end
  return answer('RELEASED', untouched)
end
if state == 'MANUAL' then
  if giveUp(record, givenUp) then saveDoubt(keyRecord, keyInflight, member, record) end
  return answer('MANUAL', record.payload)
end
local live = now < record.leaseUntil
if state == 'CLAIMED' and live and record.owner ~= givenUp then return answer('BUSY', text(record.leaseUntil - now)) end
local function look(wouldBlock, turns)
  local sinceAbsent = record.absents > 0 and record.lookAt - record.absentAt or 0
  return answer('LOOK', text(record.lookFence), text(math.max(record.quiesceAt - record.lookAt, 0)), untouched, text(record.looks),
    text(record.absents), text(sinceAbsent), text(math.max(record.lookAt - record.createdAt, 0)), wouldBlock, turns)
end
if state == 'RECONCILING' and live then
  if record.attempt ~= looker then return answer('BUSY', text(record.leaseUntil - now)) end
  -- The reply was lost and the client library sent the same call again: the look is the caller's, and its place as a probe.
  if giveUp(record, givenUp) then saveDoubt(keyRecord, keyInflight, member, record) end
  return look('0', '')
end

giveUp(record, givenUp)
-- Redis may have forgotten a later request of this intent: what was seen before that one's end proves nothing about it.
record.quiesceAt = math.max(record.quiesceAt, store.suspectUntil)
if record.absentAt < store.suspectUntil then record.absents, record.absentAt = 0, 0 end
if record.looks >= mostLooks then
  record.state, record.leaseUntil = 'MANUAL', 0
  saveDoubt(keyRecord, keyInflight, member, record)
  return answer('MANUAL', record.payload)
end
local fence, levels, wouldBlock = math.max(record.lookFence + 1, micros), {}, false
if ARGV[12] then
  levels = parseLevels(raw, 3, ARGV[12], ARGV[13])
  local verdict, waitMs, level, why
  verdict, waitMs, level, why, wouldBlock = judgeLook(levels, now, micros, fence, bucketOf(member))
  if verdict ~= 'pass' then
    -- Not a look: it is none of those after which only a person can tell.
    record.state, record.leaseUntil = 'UNKNOWN', 0
    saveDoubt(keyRecord, keyInflight, member, record)
    saveLevels(levels, KEYS, keyInflight, {})
    return answer('OPEN', text(waitMs), level, why, levelTurns(levels))
  end
end
record.state, record.lookFence, record.lookAt = 'RECONCILING', fence, now
record.attempt, record.leaseUntil, record.looks = looker, now + leaseMs, record.looks + 1
saveDoubt(keyRecord, keyInflight, member, record)
local made = {}
if ARGV[12] then makeLevels(raw, 3, levels, KEYS, made) end
saveLevels(levels, KEYS, keyInflight, made)
return look(wouldBlock and '1' or '0', levelTurns(levels))
