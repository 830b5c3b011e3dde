-- How an act ended, told by the one that got GO.
-- KEYS  1 record  2 in-flight set  3 store  4 breaker (absent: no breaker for this act)
-- ARGV  1 member of the in-flight set  2 fence  3 done | reject | release | doubt  4 payload (JSON)
--       5 ms since GO on the worker's monotonic clock  6 ttl ms of a resolved record
--       7 ok | fail | none: what it says about the venue's health  8 quiescence ms  9 breaker settings
-- Reply OK state attempts breakerStateBefore breakerStateAfter | FENCED state payload
-- Reads no clock: the fence is the Redis time of GO, and the elapsed time comes from the worker.
--#include record
--#include store
--#include breaker

local keyRecord, keyInflight, keyStore, keyBreaker = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local member, fence, ending, payload = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local now, ttlMs, outcome = math.floor(fence / 1000) + tonumber(ARGV[5]), ARGV[6], ARGV[7]

local raw = keyBreaker and redis.call('MGET', keyRecord, keyBreaker) or redis.call('MGET', keyRecord)
local record = parseRecord(raw[1])

-- A claim that was given is gone, or its record knows of none so late: Redis has lost what it had acknowledged.
if not record or record.fence < fence then
  local redisNow, micros = redisTime()
  local store = readStore(redis.call('GET', keyStore), redisNow, micros, tonumber(ARGV[8]), '', 0)
  suspect(store, redisNow + tonumber(ARGV[8]), 'a settled act found its claim gone')
  redis.call('SET', keyStore, packStore(store))
  return { 'FENCED', record and record.state or 'ABSENT', record and record.payload or '' }
end

local ENDED = { done = 'DONE', reject = 'REJECTED', release = 'RELEASED', doubt = 'UNKNOWN' }
local state, wanted = record.state, ENDED[ending]
local mine = record.fence == fence
-- A settle whose reply was lost is sent again by the client library: it finds its own work done.
if mine and state == wanted then return { 'OK', state, text(record.attempts), '', '' } end
-- While others look, the last sender's definite word is better evidence than any look-up, as long as nobody got GO since.
local lastWord = (state == 'UNKNOWN' or state == 'RECONCILING') and (ending == 'done' or ending == 'reject')
-- Looks took it for absent, and yet the venue's own answer says that it happened: another GO would repeat it.
lastWord = lastWord or (state == 'RELEASED' and ending == 'done')
if not mine or not (state == 'CLAIMED' or lastWord) then return { 'FENCED', state, record.payload } end

record.state, record.payload = wanted, payload
if ending == 'doubt' then
  record.leaseUntil = 0
  saveDoubt(keyRecord, keyInflight, member, record)
else
  clearDoubt(record)
  if ending ~= 'release' then record.givenUp = '' end
  record.settledAt = now
  -- The request surely did not leave, or surely did nothing: it is not one of those that may have acted.
  if ending == 'release' then record.sends = record.sends - 1 end
  saveResolved(keyRecord, keyInflight, member, record, ttlMs)
end

local before, after = '', ''
if keyBreaker then
  local breaker = parseBreaker(raw[2])
  before = breaker.state
  if breakerRecord(breaker, breakerSettings(ARGV[9]), now, fence, outcome) then
    redis.call('SET', keyBreaker, packBreaker(breaker))
  end
  after = breaker.state
end
return { 'OK', wanted, text(record.attempts), before, after }
