-- What a look showed. "Not found" counts only for looks that began after quiesceAt, and only when two of them agree that
-- began far enough apart.
-- KEYS  1 record  2 store  then, where a breaker counts the look, the breaker of each level  last: in-flight set
-- ARGV  1 member of the in-flight set  2 look fence  3 found | rejected | absent | repeatable | inconclusive | manual  4 payload (JSON)
--       5 ttl ms of a resolved record  6 ms between agreeing looks  7 looks that must agree
--       8 ok | fail | own | none: what it says about the venue's health  9 ms that it took, on the worker's monotonic clock
--       10 names of the levels, as look-begin's (absent: no breaker counts it)  11 their settings  12 number of the worker
--       13 level that the venue told to hold ('' for none)  14 for how many ms  15 why
-- Reply DONE attempts | REJECTED attempts | RELEASED neverSent | AGAIN ms | MANUAL '' | FENCED state; each with: lone turns
--#include record
--#include window
--#include breaker
--#include half-open
--#include ramp
--#include levels
--#include outcome

local keyRecord, keyInflight = KEYS[1], KEYS[#KEYS]
local member, fence, verdict, payload, ttlMs = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local gapMs, agreeing = tonumber(ARGV[6]), tonumber(ARGV[7])

local now, micros = redisTime()
local raw = redis.call('MGET', unpack(KEYS, 1, #KEYS - 1))
local record = parseRecord(raw[1])
local mine = record ~= nil and record.state == 'RECONCILING' and record.lookFence == fence

local levels, lone = {}, false
if ARGV[10] then
  levels = parseBreakers(raw, 3, 1, ARGV[10], ARGV[11])
  local lookUps = levels[2]
  local told = { outcome = ARGV[8], elapsedMs = tonumber(ARGV[9]), worker = tonumber(ARGV[12]), isNews = mine }
  lone = levelEnded(lookUps, now, micros, fence, told)
  if ARGV[13] ~= '' then hold(levels, now, ARGV[13], tonumber(ARGV[14]), ARGV[15]) end
  saveLevels(levels, KEYS, keyInflight, {})
end

local function answer(kind, value)
  return { kind, value, lone and '1' or '0', levelTurns(levels) }
end

if not mine then return answer('FENCED', record and record.state or 'ABSENT') end

local function resolve(state)
  clearDoubt(record)
  if state ~= 'RELEASED' then record.givenUp = '' end
  record.state, record.payload, record.settledAt = state, payload, now
  saveResolved(keyRecord, keyInflight, member, record, ttlMs)
end

local function again(ms)
  record.state, record.leaseUntil, record.payload = 'UNKNOWN', 0, evidence(record, payload, now, verdict)
  saveDoubt(keyRecord, keyInflight, member, record)
  return answer('AGAIN', text(ms))
end

if verdict == 'found' then
  resolve('DONE')
  return answer('DONE', text(record.attempts))
end
if verdict == 'rejected' then
  resolve('REJECTED')
  return answer('REJECTED', text(record.attempts))
end
-- Of an act that twice does no harm: seen not to have taken effect, it may be tried again at once.
if verdict == 'repeatable' then
  resolve('RELEASED')
  return answer('RELEASED', neverSent(record) and '1' or '0')
end
if verdict == 'absent' then
  if record.lookAt < record.quiesceAt then return again(math.max(record.quiesceAt - now, 0)) end
  if record.absents == 0 then
    record.absents, record.absentAt = 1, record.lookAt
  elseif record.lookAt - record.absentAt >= gapMs * record.absents then
    record.absents = record.absents + 1
  end
  if record.absents >= agreeing then
    resolve('RELEASED')
    return answer('RELEASED', neverSent(record) and '1' or '0')
  end
  return again(math.max(record.absentAt + gapMs * record.absents - now, 0))
end
if verdict == 'manual' then
  record.state, record.leaseUntil, record.payload = 'MANUAL', 0, evidence(record, payload, now, verdict)
  saveDoubt(keyRecord, keyInflight, member, record)
  return answer('MANUAL', '')
end
return again(0)
