-- The breaker of one venue and job type, shared by all workers. Works on the packed state; the caller reads and writes it.
-- CLOSED → OPEN when, within the window, enough calls were made and too many of them failed.
-- OPEN → HALF_OPEN when its time is over: a few probes pass, each on a permit that ends by itself (a dead prober costs one
-- permit time). HALF_OPEN → CLOSED after enough successes, → OPEN again on a failure, for twice as long up to the cap.

local BREAKER_FIELDS = { 'version', 'state', 'since', 'openUntil', 'epoch', 'openings', 'waiting', 'successes', 'permits', 'ring' }
local SLOTS = 10
local PROBING_WAIT_MS = 1000
local LONGEST_QUEUE_S = 30

local function parseBreaker(raw)
  local breaker = { version = '1', state = 'CLOSED', since = 0, openUntil = 0, epoch = 0, openings = 0, waiting = 0,
    successes = 0, permits = '', ring = '' }
  if not raw then return breaker end
  local i = 0
  for text in string.gmatch(raw .. '\n', '([^\n]*)\n') do
    i = i + 1
    local name = BREAKER_FIELDS[i]
    if type(breaker[name]) == 'number' then breaker[name] = tonumber(text) or 0 else breaker[name] = text end
  end
  return breaker
end

local function packBreaker(breaker)
  local lines = {}
  for i, name in ipairs(BREAKER_FIELDS) do
    local value = breaker[name]
    lines[i] = type(value) == 'number' and string.format('%.0f', value) or value
  end
  return table.concat(lines, '\n')
end

-- settings: windowMs,minimumCalls,failureRatio,openMs,maximumOpenMs,permits,permitMs,successesToClose,reopenPerSecond,mode
local SETTINGS = '^' .. string.rep('([^,]*),', 9) .. '(.*)$'
local function breakerSettings(packed)
  local windowMs, minimumCalls, failureRatio, openMs, maximumOpenMs, permits, permitMs, successesToClose, reopenPerSecond,
    mode = string.match(packed, SETTINGS)
  return { windowMs = tonumber(windowMs), minimumCalls = tonumber(minimumCalls), failureRatio = tonumber(failureRatio),
    openMs = tonumber(openMs), maximumOpenMs = tonumber(maximumOpenMs), permits = tonumber(permits),
    permitMs = tonumber(permitMs), successesToClose = tonumber(successesToClose),
    reopenPerSecond = tonumber(reopenPerSecond), mode = mode }
end

-- Ring of slots stamped with their own number, so that an idle time leaves no stale failures behind.
local function countInWindow(breaker, slot, ok, failed)
  local slots, oks, fails, found = {}, 0, 0, false
  for packed, at, o, f in string.gmatch(breaker.ring, '((%d+):(%d+):(%d+))') do
    at, o, f = tonumber(at), tonumber(o), tonumber(f)
    -- A slot ahead of ours is that of a worker whose news travelled faster: it counts too.
    if math.abs(at - slot) < SLOTS then
      if at == slot then
        o, f, found = o + ok, f + failed, true
        packed = string.format('%.0f:%d:%d', at, o, f)
      end
      oks, fails = oks + o, fails + f
      slots[#slots + 1] = packed
    end
  end
  if not found then
    oks, fails = oks + ok, fails + failed
    slots[#slots + 1] = string.format('%.0f:%d:%d', slot, ok, failed)
  end
  breaker.ring = table.concat(slots, ',')
  return oks, fails
end

local function livePermits(breaker, now)
  local live = {}
  for holder, till in string.gmatch(breaker.permits, '(%d+):(%d+)') do
    if tonumber(till) > now then live[#live + 1] = holder .. ':' .. till end
  end
  return live
end

local function turn(breaker, state, now)
  breaker.state, breaker.since, breaker.epoch = state, now, breaker.epoch + 1
  breaker.waiting, breaker.successes, breaker.permits = 0, 0, ''
end

local function open(breaker, settings, now)
  turn(breaker, 'OPEN', now)
  breaker.openUntil = now + math.min(settings.openMs * 2 ^ math.min(breaker.openings, 10), settings.maximumOpenMs)
  breaker.openings = breaker.openings + 1
  breaker.ring = ''
end

-- May an act with this fence pass? Answers: passes, ms to wait, whether the state changed.
-- The wait is paced: each refused caller is given a later moment, so that they come back as a queue and not as a herd.
local function breakerAdmit(breaker, settings, now, fence)
  if breaker.state == 'CLOSED' then return true, 0, false end
  if breaker.state == 'OPEN' and now >= breaker.openUntil then turn(breaker, 'HALF_OPEN', now) end
  local from = breaker.openUntil
  if breaker.state == 'HALF_OPEN' then
    local live = livePermits(breaker, now)
    if #live < settings.permits then
      live[#live + 1] = text(fence) .. ':' .. text(now + settings.permitMs)
      breaker.permits = table.concat(live, ',')
      return true, 0, true
    end
    breaker.permits = table.concat(live, ',')
    -- Probes mostly answer at once: worth asking again soon.
    from = now + PROBING_WAIT_MS
  end
  -- Who is refused again takes a new place in the queue; the queue starts over, lest the places grow for ever.
  breaker.waiting = (breaker.waiting + 1) % math.max(1, math.floor(settings.reopenPerSecond * LONGEST_QUEUE_S))
  local paced = math.floor(breaker.waiting * 1000 / settings.reopenPerSecond)
  return false, math.max(from - now, 0) + paced, true
end

-- What became of an act: outcome is ok, fail, or none (says nothing about the venue's health).
-- In HALF_OPEN only the holder of a live permit is heard: an act let through before the trip proves nothing about now.
local function breakerRecord(breaker, settings, now, fence, outcome)
  if breaker.state == 'CLOSED' then
    if outcome == 'none' then return false end
    local slot = math.floor(now * SLOTS / settings.windowMs)
    local oks, fails = countInWindow(breaker, slot, outcome == 'ok' and 1 or 0, outcome == 'fail' and 1 or 0)
    if outcome == 'fail' and oks + fails >= settings.minimumCalls and fails / (oks + fails) >= settings.failureRatio then
      open(breaker, settings, now)
    end
    return true
  end
  if breaker.state ~= 'HALF_OPEN' then return false end
  local kept, held = {}, false
  for _, permit in ipairs(livePermits(breaker, now)) do
    if string.match(permit, '^%d+') == text(fence) then held = true else kept[#kept + 1] = permit end
  end
  if not held then return false end
  breaker.permits = table.concat(kept, ',')
  if outcome == 'fail' then
    open(breaker, settings, now)
  elseif outcome == 'ok' then
    breaker.successes = breaker.successes + 1
    if breaker.successes >= settings.successesToClose then
      turn(breaker, 'CLOSED', now)
      breaker.openings, breaker.openUntil, breaker.ring = 0, 0, ''
    end
  end
  return true
end
