-- What a look showed. "Not found" counts only for looks that began after quiesceAt, and only when two of them agree that
-- began far enough apart.
-- KEYS  1 record  2 in-flight set
-- ARGV  1 member of the in-flight set  2 look fence  3 found | rejected | absent | repeatable | inconclusive | manual  4 payload (JSON)
--       5 ttl ms of a resolved record  6 ms between agreeing looks  7 looks that must agree
-- Reply DONE attempts | REJECTED attempts | RELEASED neverSent | AGAIN ms | MANUAL | FENCED state
--#include record

local keyRecord, keyInflight = KEYS[1], KEYS[2]
local member, fence, verdict, payload, ttlMs = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local gapMs, agreeing = tonumber(ARGV[6]), tonumber(ARGV[7])

local now = redisTime()
local record = parseRecord(redis.call('GET', keyRecord))
if not record then return { 'FENCED', 'ABSENT' } end
if record.state ~= 'RECONCILING' or record.lookFence ~= fence then return { 'FENCED', record.state } end

local function resolve(state)
  clearDoubt(record)
  if state ~= 'RELEASED' then record.givenUp = '' end
  record.state, record.payload, record.settledAt = state, payload, now
  saveResolved(keyRecord, keyInflight, member, record, ttlMs)
end

local function again(ms)
  record.state, record.leaseUntil, record.payload = 'UNKNOWN', 0, evidence(record, payload, now, verdict)
  saveDoubt(keyRecord, keyInflight, member, record)
  return { 'AGAIN', text(ms) }
end

if verdict == 'found' then
  resolve('DONE')
  return { 'DONE', text(record.attempts) }
end
if verdict == 'rejected' then
  resolve('REJECTED')
  return { 'REJECTED', text(record.attempts) }
end
-- Of an act that twice does no harm: seen not to have taken effect, it may be tried again at once.
if verdict == 'repeatable' then
  resolve('RELEASED')
  return { 'RELEASED', neverSent(record) and '1' or '0' }
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
    return { 'RELEASED', neverSent(record) and '1' or '0' }
  end
  return again(math.max(record.absentAt + gapMs * record.absents - now, 0))
end
if verdict == 'manual' then
  record.state, record.leaseUntil, record.payload = 'MANUAL', 0, evidence(record, payload, now, verdict)
  saveDoubt(keyRecord, keyInflight, member, record)
  return { 'MANUAL' }
end
return again(0)
