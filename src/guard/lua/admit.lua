-- May this attempt act? Decides on the record first, then on the breaker, then on the budget of sends, so that replays
-- never depend on the breaker, and leaves the record in the state that its answer claims.
-- KEYS  1 record  2 store  then, where anything may hold this act, those of levels.lua  last: in-flight set
-- ARGV  1 member of the in-flight set  2 owner  3 attempt number  4 nonce  5 fingerprint  6 lease ms
--       7 quiescence ms, from now  8 1 if the previous attempt is known not to have sent  9 most sends
--       10 ttl ms of a resolved record  11 epoch of the store that the worker has seen ('' if none)  12 GOs it has seen
--       13 names of the levels (absent: nothing may hold this act)  14 their settings  15 1 if it may be held, 0 if it lowers risk
--       16 1 if a harmless read can be tried first
-- Reply GO mark fence sends wouldBlock turns | REPLAY mark payload owner attempts | REJECTED mark payload owner attempts
--       | BUSY mark ms | UNKNOWN mark ms | CONFLICT mark | OPEN mark ms level why turns
--       | PROBE mark token level turns | MANUAL mark evidence
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
local member, owner, attempt, nonce, fingerprint = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local leaseMs, quiesceMs, knownUnsent = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local mostSends, ttlMs = tonumber(ARGV[9]), ARGV[10]

local now, micros = redisTime()
local raw = redis.call('MGET', unpack(KEYS, 1, #KEYS - 1))
local record = parseRecord(raw[1])
local store, storeChanged = readStore(raw[2], now, micros, quiesceMs, ARGV[11], tonumber(ARGV[12]))

local function answer(kind, ...)
  if storeChanged then redis.call('SET', keyStore, packStore(store)) end
  return { kind, markOf(store, now), ... }
end

local function unknown()
  return answer('UNKNOWN', text(math.max(record.quiesceAt - now, 0)))
end

local function doubt(why)
  record.state, record.leaseUntil, record.payload = 'UNKNOWN', 0, cjson.encode({ why = why })
  saveUnresolved(keyRecord, keyInflight, member, record)
  return unknown()
end

-- No record speaks of an act that may have left: the venue is asked before anything leaves.
local function lookFirst()
  record.owner = owner
  record.quiesceAt = math.max(record.quiesceAt, store.suspectUntil)
  return doubt(store.why .. ': looking before acting')
end

if record then
  if conflicts(record, fingerprint) then return answer('CONFLICT') end
  local state = record.state
  if state == 'DONE' then return answer('REPLAY', record.payload, record.owner, text(record.attempts)) end
  if state == 'REJECTED' then return answer('REJECTED', record.payload, record.owner, text(record.attempts)) end
  if state == 'MANUAL' then return answer('MANUAL', record.payload) end
  if state == 'UNKNOWN' or state == 'RECONCILING' then return unknown() end
  -- A worker that was paused asks for an activity that Temporal has long given up: its job may have ended since.
  if isGivenUp(record, owner) then return answer('UNKNOWN', '0') end
  if state == 'CLAIMED' then
    local live = now < record.leaseUntil
    local knownAttempt = tonumber(string.match(record.attempt, '^%d+'))
    if record.owner == owner then
      -- The reply was lost and the client library sent the same call again: the claim is the caller's.
      if live and record.attempt == attempt .. '.' .. nonce then
        return answer('GO', text(record.fence), text(record.sends), '0')
      end
      -- Temporal starts a later attempt only after it gave the earlier one up: looking is safe at once.
      if attempt > knownAttempt then return doubt('a later attempt began while the earlier one held the claim') end
    end
    if live then return answer('BUSY', text(record.leaseUntil - now)) end
    return doubt('the claim ran out before its outcome was known')
  end
  -- A later GO may have been lost.
  if now < store.suspectUntil then return lookFirst() end
else
  record = newRecord(now, fingerprint)
  if attempt > 1 and not knownUnsent then
    -- An earlier attempt ran and its record is gone: Redis lost it, or it never wrote one. Both mean: ask the venue.
    -- What it may have sent counts, so that the venue's refusal of a later request is read as evidence about it.
    record.quiesceAt, record.owner, record.attempts, record.sends = now + quiesceMs, owner, attempt, 1
    suspect(store, now + quiesceMs, 'a later attempt found no record')
    storeChanged = true
    return doubt('attempt ' .. attempt .. ' found no record of the earlier ones')
  end
  if now < store.suspectUntil then return lookFirst() end
end

if record.sends >= mostSends then
  record.state, record.payload = 'MANUAL', cjson.encode({ why = 'sent ' .. record.sends .. ' times, that is the most allowed' })
  saveUnresolved(keyRecord, keyInflight, member, record)
  return answer('MANUAL', record.payload)
end

record.attempts = record.attempts + 1
local fence = math.max(record.fence + 1, micros)
local levels, wouldBlock = {}, false
if ARGV[13] then
  levels = parseLevels(raw, 3, ARGV[13], ARGV[14])
  local act = { held = ARGV[15] == '1', canProbe = ARGV[16] == '1', bucket = bucketOf(member) }
  local verdict, detail, level, why
  verdict, detail, level, why, wouldBlock = judgeLevels(levels, now, micros, fence, act)
  if verdict ~= 'pass' then
    local changed = changedLevels(levels, KEYS, {})
    if #changed > 0 then redis.call('MSET', unpack(changed)) end
    -- Written down as RELEASED, so that the next attempt knows that this one did not act.
    record.state = 'RELEASED'
    if verdict == 'probe' then
      -- It asks again as soon as it has read.
      record.attempts = record.attempts - 1
      if not raw[1] then saveResolved(keyRecord, keyInflight, member, record, ttlMs) end
      return answer('PROBE', detail, level, levelTurns(levels))
    end
    saveResolved(keyRecord, keyInflight, member, record, ttlMs)
    return answer('OPEN', text(detail), level, why, levelTurns(levels))
  end
end

clearDoubt(record)
record.state, record.fence, record.owner, record.attempt = 'CLAIMED', fence, owner, attempt .. '.' .. nonce
record.leaseUntil, record.quiesceAt = now + leaseMs, now + quiesceMs
record.sends, record.payload, record.settledAt = record.sends + 1, '', 0
store.goes = store.goes + 1
-- As `saveUnresolved`, with the count of GOs and what changed of the breakers in the same command.
local written = { keyRecord, packRecord(record), keyStore, packStore(store) }
if ARGV[13] then makeLevels(raw, 3, levels, KEYS, written) end
redis.call('MSET', unpack(changedLevels(levels, KEYS, written)))
redis.call('ZADD', keyInflight, text(record.quiesceAt), member)
return { 'GO', markOf(store, now), text(fence), text(record.sends), wouldBlock and '1' or '0', levelTurns(levels) }
