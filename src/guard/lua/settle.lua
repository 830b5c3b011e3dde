-- How an act ended, told by the one that got GO.
-- KEYS  1 record  2 store  then, where breakers count this act, the breaker of each level  last: in-flight set
-- ARGV  1 member of the in-flight set  2 fence  3 done | reject | release | doubt  4 payload (JSON)
--       5 ms since GO on the worker's monotonic clock  6 ttl ms of a resolved record
--       7 ok | fail | own | none: what it says about the venue's health  8 quiescence ms
--       9 names of the levels (absent: no breaker counts this act)  10 their settings  11 number of the worker
--       12 level that the venue told to hold ('' for none)  13 for how many ms  14 why
--       15 ms that the act took: less than since GO where Redis was away when it ended
-- Reply OK state attempts | FENCED state payload; both with: lone turns
-- Reads no clock where nothing turns: the fence is the Redis time of GO, and the elapsed time comes from the worker.
--#include record
--#include store
--#include window
--#include breaker
--#include half-open
--#include ramp
--#include levels
--#include outcome

local keyRecord, keyStore, keyInflight = KEYS[1], KEYS[2], KEYS[#KEYS]
local member, fence, ending, payload = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local now, ttlMs = math.floor(fence / 1000) + tonumber(ARGV[5]), ARGV[6]

local raw = redis.call('MGET', unpack(KEYS, 1, #KEYS - 1))
local record = parseRecord(raw[1])

-- What the end says of the venue, at each level; and whether its teller is alone in failing.
local function endLevels(isNews)
  local levels, lone = {}, false
  if not ARGV[9] then return levels, lone end
  levels = parseBreakers(raw, 3, 1, ARGV[9], ARGV[10])
  local told = { outcome = ARGV[7], elapsedMs = tonumber(ARGV[15]), worker = tonumber(ARGV[11]), isNews = isNews }
  for _, level in ipairs(levels) do
    lone = levelEnded(level, now, 0, fence, told) or lone
    if level.breaker.turns then
      -- By Redis's own clock, not by what the worker says has passed: the outcome of a GO that was given until now is no news,
      -- that of the next one is.
      local _, micros = redisTime()
      level.breaker.turnedAt = math.max(level.breaker.turnedAt, micros)
    end
  end
  if ARGV[12] ~= '' then hold(levels, now, ARGV[12], tonumber(ARGV[13]), ARGV[14]) end
  return levels, lone
end

local function fenced(state, payloadThere)
  local levels, lone = endLevels(false)
  saveLevels(levels, KEYS, keyInflight, {})
  return { 'FENCED', state, payloadThere, lone and '1' or '0', levelTurns(levels) }
end

-- A claim that was given is gone, or its record knows of none so late: Redis has lost what it had acknowledged.
if not record or record.fence < fence then
  local redisNow, micros = redisTime()
  local store = readStore(raw[2], redisNow, micros, tonumber(ARGV[8]), '', 0)
  suspect(store, redisNow + tonumber(ARGV[8]), 'a settled act found its claim gone')
  -- A ZREM may pass when Redis is full, and lets what follows pass too: a loss must be remembered.
  redis.call('ZREM', keyInflight, '')
  redis.call('SET', keyStore, packStore(store))
  return fenced(record and record.state or 'ABSENT', record and record.payload or '')
end

local ENDED = { done = 'DONE', reject = 'REJECTED', release = 'RELEASED', doubt = 'UNKNOWN' }
local state, wanted = record.state, ENDED[ending]
local mine = record.fence == fence
-- A settle whose reply was lost is sent again by the client library: it finds its own work done. Where another's word came to the
-- same state, what it says counts: it may be of another order.
if mine and state == wanted and record.payload == payload then return { 'OK', state, text(record.attempts), '0', '' } end
-- While others look, the last sender's definite word is better evidence than any look-up, as long as nobody got GO since.
local lastWord = (state == 'UNKNOWN' or state == 'RECONCILING') and (ending == 'done' or ending == 'reject')
-- Looks took it for absent, and yet the venue's own answer says that it happened: another GO would repeat it.
lastWord = lastWord or (state == 'RELEASED' and ending == 'done')
if not mine or not (state == 'CLAIMED' or lastWord) then return fenced(state, record.payload) end

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

local levels, lone = endLevels(true)
local changed = changedLevels(levels, KEYS, {})
if #changed > 0 then redis.call('MSET', unpack(changed)) end
return { 'OK', wanted, text(record.attempts), lone and '1' or '0', levelTurns(levels) }
