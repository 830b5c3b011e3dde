-- The record of one intent: what Redis knows of an act that must not happen twice.
-- Packed as lines, the payload last, so that any client can read it with GET and a finished one stays small.
-- Times are Redis ms, fences are Redis microseconds (exact below 2^53; always printed with %.0f, since Lua's own
-- number format would round them).

-- 19 lines. Every claim waits for what follows: one match for all of them, which runs in C, and no loop over names.
local LINES = '^' .. string.rep('([^\n]*)\n', 18) .. '(.*)$'

local function number(line) return line ~= '' and tonumber(line) or 0 end

local function parseRecord(raw)
  if not raw then return nil end
  local version, state, fence, owner, attempt, fingerprint, leaseUntil, quiesceAt, sends, attempts, createdAt, settledAt,
    lookFence, lookAt, looks, absents, absentAt, givenUp, payload = string.match(raw, LINES)
  if not version then error('fillsafe: the record is not one of this version: ' .. string.sub(raw, 1, 40)) end
  if version ~= '1' then error('fillsafe: record version ' .. version .. ' is newer than this worker') end
  return {
    state = state, -- CLAIMED DONE REJECTED RELEASED UNKNOWN RECONCILING MANUAL
    fence = number(fence), -- of the last GO; 0 before the first
    owner = owner, -- activity that holds or held the last GO: workflow id/run id/activity id
    attempt = attempt, -- its attempt number, a dot, and a nonce of that one run of the attempt
    fingerprint = fingerprint, -- fingerprint version, a colon, hash of what the venue will see
    leaseUntil = number(leaseUntil), -- end of the claim's lease, or of the looker's while RECONCILING
    quiesceAt = number(quiesceAt), -- from then on "not found" may mean absent
    sends = number(sends), -- how many requests may have left
    attempts = number(attempts), -- how many attempts asked to act
    createdAt = number(createdAt),
    settledAt = number(settledAt),
    lookFence = number(lookFence), -- of the last look
    lookAt = number(lookAt), -- when it began
    looks = number(looks), -- looks that did not settle it
    absents = number(absents), -- agreeing looks after quiesceAt that found nothing
    absentAt = number(absentAt), -- when the first of them began
    givenUp = givenUp, -- activities that Temporal has given up, by spaces: none of them may act any more
    payload = payload, -- DONE: result · REJECTED: error · else: what the last evidence was (JSON)
  }
end

-- A zero is left out: a finished record holds few numbers.
local function line(value) return value == 0 and '' or string.format('%.0f', value) end

local function packRecord(record)
  return table.concat({
    '1', record.state, line(record.fence), record.owner, record.attempt, record.fingerprint, line(record.leaseUntil),
    line(record.quiesceAt), line(record.sends), line(record.attempts), line(record.createdAt), line(record.settledAt),
    line(record.lookFence), line(record.lookAt), line(record.looks), line(record.absents), line(record.absentAt),
    record.givenUp, record.payload,
  }, '\n')
end

local function newRecord(now, fingerprint)
  return { state = '', fence = 0, owner = '', attempt = '', fingerprint = fingerprint, createdAt = now,
    leaseUntil = 0, quiesceAt = 0, sends = 0, attempts = 0, settledAt = 0, lookFence = 0, lookAt = 0, looks = 0,
    absents = 0, absentAt = 0, givenUp = '', payload = '' }
end

local function clearDoubt(record)
  record.leaseUntil, record.quiesceAt, record.lookFence, record.lookAt = 0, 0, 0, 0
  record.looks, record.absents, record.absentAt = 0, 0, 0
  record.attempt = ''
end

-- Nothing of this intent ever left, as far as anybody knows: no GO was given, and no earlier attempt is presumed to have acted.
local function neverSent(record)
  return record.fence == 0 and record.sends == 0
end

-- An unresolved record never expires and stays findable through the in-flight set. Refused when Redis is full, so that a
-- full Redis stops new acts.
local function saveUnresolved(keyRecord, keyInflight, member, record)
  redis.call('SET', keyRecord, packRecord(record))
  redis.call('ZADD', keyInflight, string.format('%.0f', record.quiesceAt), member)
end

-- As above, of an act that is already under way: what is known of it must get through. A ZREM may pass when Redis is full,
-- and lets what follows pass too.
local function saveDoubt(keyRecord, keyInflight, member, record)
  redis.call('ZREM', keyInflight, member)
  saveUnresolved(keyRecord, keyInflight, member, record)
end

-- The life of a resolved record is counted from here. The ZREM comes first, as above: a finished act is never forgotten
-- because Redis is full.
local function saveResolved(keyRecord, keyInflight, member, record, ttlMs)
  redis.call('ZREM', keyInflight, member)
  redis.call('SET', keyRecord, packRecord(record), 'PX', ttlMs)
end

-- What looks have shown goes along with a doubt until it ends: a person who must decide sees it all.
local MOST_KEPT = 8
local function evidence(record, payload, now, verdict)
  local known, seen = record.payload ~= '' and cjson.decode(record.payload) or {}, cjson.decode(payload)
  local saw = known.saw or {}
  saw[#saw + 1] = { at = now, verdict = verdict, why = seen.why }
  if #saw > MOST_KEPT then table.remove(saw, 1) end
  seen.saw = saw
  return cjson.encode(seen)
end

local function isGivenUp(record, activity)
  return string.find(' ' .. record.givenUp .. ' ', ' ' .. activity .. ' ', 1, true) ~= nil
end

local function giveUp(record, activity)
  if activity == '' or isGivenUp(record, activity) then return false end
  record.givenUp = record.givenUp == '' and activity or record.givenUp .. ' ' .. activity
  return true
end

local function redisTime()
  local time = redis.call('TIME')
  local seconds, micros = tonumber(time[1]), tonumber(time[2])
  return seconds * 1000 + math.floor(micros / 1000), seconds * 1000000 + micros
end

local function text(number)
  return string.format('%.0f', number)
end

-- Two fingerprints made by different versions of the fingerprint cannot be compared: only a known difference conflicts.
local function conflicts(record, fingerprint)
  local version, knownVersion = string.match(fingerprint, '^[^:]*'), string.match(record.fingerprint, '^[^:]*')
  return version == knownVersion and record.fingerprint ~= fingerprint
end
