-- The breaker of one level: a venue, one job type there, or one account. Shared by all workers; works on the packed state,
-- which the caller reads and writes.
-- CLOSED → OPEN when, within the window, enough calls were made and too many failed or were slow, or so many failed in a row.
-- OPEN → HALF_OPEN when its time is over: where there is a harmless read, one worker tries that first; then a few acts pass, each
-- on a permit that ends by itself (a dead prober costs one permit time). HALF_OPEN → RAMP after enough successes: a growing share
-- of the intents passes. → CLOSED at its end; → OPEN again on a failure, for twice as long up to the cap.
-- Needs record.lua for `text`.

local BREAKER_FIELDS = {
  'version', -- 2
  'state', -- CLOSED OPEN HALF_OPEN RAMP
  'since', -- when it came to that, Redis ms
  'openUntil', -- end of the last opening
  'turnedAt', -- when it came to that, Redis microseconds: what was let through before says nothing about now
  'openings', -- how often it opened of late: each opening doubles the next one's time
  'waiting', -- places given to those that were refused
  'successes', -- of probes
  'failedInRow',
  'holdUntil', -- the venue's own "come back at"
  'probeUntil', -- end of the lease of the worker that tries a read
  'holdWhy',
  'why', -- what brought it to its state
  'permits', -- fence:until, by commas
  'ring', -- slot:calls:failures:slow:workers:failing workers, by commas, the newest first
}
local BREAKER_TEXTS = { version = true, state = true, holdWhy = true, why = true, permits = true, ring = true }
local BREAKER_LINES = '^' .. string.rep('([^\n]*)\n', #BREAKER_FIELDS - 1) .. '(.*)$'
local SLOTS = 10
local SLOT = '(%d+):(%d+):(%d+):(%d+):(%d+):(%d+)'
local WORKERS = 31
local SHARES = { 10, 25, 50 }
local PROBING_WAIT_MS = 1000
local LONGEST_QUEUE_S = 30

local function parseBreaker(raw)
  local breaker = { version = '2', state = 'CLOSED', since = 0, openUntil = 0, turnedAt = 0, openings = 0, waiting = 0,
    successes = 0, failedInRow = 0, holdUntil = 0, probeUntil = 0, holdWhy = '', why = '', permits = '', ring = '' }
  if not raw then return breaker end
  local values = { string.match(raw, BREAKER_LINES) }
  -- Another version's state is not worth stopping for: it is learnt again within a window.
  if values[1] ~= '2' then return breaker end
  for i, name in ipairs(BREAKER_FIELDS) do
    breaker[name] = BREAKER_TEXTS[name] and values[i] or tonumber(values[i]) or 0
  end
  return breaker
end

local function packBreaker(breaker)
  local lines = {}
  for i, name in ipairs(BREAKER_FIELDS) do
    local value = breaker[name]
    lines[i] = BREAKER_TEXTS[name] and value or value == 0 and '' or string.format('%.0f', value)
  end
  return table.concat(lines, '\n')
end

local SETTINGS = { 'windowMs', 'minimumCalls', 'failureRatio', 'slowMs', 'slowRatio', 'failuresInRow', 'quorum', 'openMs',
  'maximumOpenMs', 'permits', 'permitMs', 'successesToClose', 'rampMs', 'reopenPerSecond' }
local SETTINGS_LINE = '^' .. string.rep('([^,]*),', #SETTINGS) .. '(.*)$'
local function breakerSettings(packed)
  if packed == '' then return nil end
  local values, settings = { string.match(packed, SETTINGS_LINE) }, {}
  for i, name in ipairs(SETTINGS) do settings[name] = tonumber(values[i]) end
  settings.mode = values[#SETTINGS + 1]
  return settings
end

local function hasWorker(mask, worker) return math.floor(mask / 2 ^ worker) % 2 == 1 end
local function withWorker(mask, worker) return hasWorker(mask, worker) and mask or mask + 2 ^ worker end

-- Slots are stamped with their own number, so that an idle time leaves no stale failures behind. What comes late, from a
-- worker whose news travelled slower, counts in the newest slot.
local function countInWindow(breaker, slot, failed, slow, worker)
  local at, calls, fails, slows, active, failing, rest = string.match(breaker.ring, '^' .. SLOT .. '(.*)$')
  at = tonumber(at)
  if at and at - slot >= SLOTS then at = nil end -- Redis's clock went back: what the ring holds lies ahead of it
  if not at or slot > at then
    local kept = {}
    if at then
      for old in string.gmatch(breaker.ring, '[^,]+') do
        if slot - tonumber(string.match(old, '^%d+')) < SLOTS then kept[#kept + 1] = old end
      end
    end
    rest = #kept > 0 and ',' .. table.concat(kept, ',') or ''
    at, calls, fails, slows, active, failing = slot, 0, 0, 0, 0, 0
  end
  active, failing = withWorker(tonumber(active), worker), tonumber(failing)
  if failed > 0 or slow > 0 then failing = withWorker(failing, worker) end
  breaker.ring = string.format('%.0f:%d:%d:%d:%.0f:%.0f', at, calls + 1, fails + failed, slows + slow, active, failing) .. rest
end

-- Why the window trips the breaker, nil if it does not; and whether one worker of several is alone in failing.
local function tripping(breaker, settings, slot, minimumCalls)
  local calls, fails, slows, active, failing = 0, 0, 0, {}, {}
  local workers, failingWorkers = 0, 0
  for at, c, f, s, a, b in string.gmatch(breaker.ring, SLOT) do
    if math.abs(slot - tonumber(at)) < SLOTS then
      calls, fails, slows = calls + c, fails + f, slows + s
      for worker = 0, WORKERS - 1 do
        if not active[worker] and hasWorker(tonumber(a), worker) then active[worker], workers = true, workers + 1 end
        if not failing[worker] and hasWorker(tonumber(b), worker) then
          failing[worker], failingWorkers = true, failingWorkers + 1
        end
      end
    end
  end
  local why
  if settings.failuresInRow > 0 and breaker.failedInRow >= settings.failuresInRow then
    why = string.format('%d failures in a row', breaker.failedInRow)
  elseif calls >= minimumCalls and fails / calls >= settings.failureRatio then
    why = string.format('%d of %d calls failed', fails, calls)
  elseif calls >= minimumCalls and settings.slowRatio > 0 and slows / calls >= settings.slowRatio then
    why = string.format('%d of %d calls took over %d ms', slows, calls, settings.slowMs)
  end
  return why, failingWorkers < math.min(settings.quorum, workers)
end

local function livePermits(breaker, now)
  local live = {}
  for holder, till in string.gmatch(breaker.permits, '(%d+):(%d+)') do
    if tonumber(till) > now then live[#live + 1] = holder .. ':' .. till end
  end
  return live
end

-- `turns` is for the caller to tell on.
local function turn(breaker, state, now, micros, why)
  breaker.turns = (breaker.turns and breaker.turns .. '\n' or '') .. breaker.state .. ' ' .. state .. ' ' .. why
  breaker.state, breaker.since, breaker.turnedAt, breaker.why = state, now, math.max(breaker.turnedAt + 1, micros), why
  breaker.waiting, breaker.successes, breaker.failedInRow, breaker.probeUntil, breaker.permits = 0, 0, 0, 0, ''
end

local function open(breaker, settings, now, micros, why)
  -- Every quiet time of the longest opening halves the next one again.
  if breaker.state == 'CLOSED' then
    breaker.openings = math.max(breaker.openings - math.max(math.floor((now - breaker.since) / settings.maximumOpenMs), 0), 0)
  end
  turn(breaker, 'OPEN', now, micros, why)
  breaker.openUntil = now + math.min(settings.openMs * 2 ^ math.min(breaker.openings, 10), settings.maximumOpenMs)
  breaker.openings = breaker.openings + 1
  breaker.ring = ''
end

-- A person holds it open: when that ends it goes on to probing, never straight to CLOSED.
local function breakerForceOpen(breaker, now, micros, untilMs, why)
  if breaker.state ~= 'OPEN' then turn(breaker, 'OPEN', now, micros, why) end
  breaker.openUntil, breaker.ring = untilMs, ''
end

-- What this level says of an act: pass | permit (passes if it takes one) | probe (a read first) | wait, and until when.
local function breakerJudge(breaker, settings, now, micros, bucket, canProbe)
  if breaker.state == 'RAMP' then
    -- `since` comes from a worker's settle and may lie a little ahead.
    local stage = math.max(math.floor((now - breaker.since) / settings.rampMs), 0) + 1
    if stage > #SHARES then
      turn(breaker, 'CLOSED', now, micros, 'all of it passed')
    elseif bucket < SHARES[stage] then
      return 'pass'
    else
      return 'wait', breaker.since + stage * settings.rampMs
    end
  end
  if breaker.state == 'CLOSED' then return 'pass' end
  if breaker.state == 'OPEN' then
    if now < breaker.openUntil then return 'wait', breaker.openUntil end
    if canProbe then
      if now < breaker.probeUntil then return 'wait', now + PROBING_WAIT_MS end
      return 'probe'
    end
    turn(breaker, 'HALF_OPEN', now, micros, 'its time was over')
  end
  local live = livePermits(breaker, now)
  breaker.permits = table.concat(live, ',')
  if #live < settings.permits then return 'permit' end
  -- Probes mostly answer at once: worth asking again soon.
  return 'wait', now + PROBING_WAIT_MS
end

local function takePermit(breaker, settings, now, fence)
  local permit = text(fence) .. ':' .. text(now + settings.permitMs)
  breaker.permits = breaker.permits == '' and permit or breaker.permits .. ',' .. permit
end

-- The wait is paced: each refused caller is given a later moment, so that they come back as a queue and not as a herd. Who is
-- refused again takes a new place; the queue starts over, lest the places grow for ever.
local function placeInQueue(breaker, perSecond)
  breaker.waiting = (breaker.waiting + 1) % math.max(1, math.floor(perSecond * LONGEST_QUEUE_S))
  return math.floor(breaker.waiting * 1000 / perSecond)
end

-- What became of an act: outcome is ok, fail or none (says nothing about the venue's health). Answers whether the state is to be
-- written, and whether the teller is alone in failing. In HALF_OPEN only the holder of a live permit is heard.
local function breakerRecord(breaker, settings, now, micros, fence, outcome, slow, worker)
  if breaker.state == 'OPEN' then return false, false end
  if breaker.state == 'HALF_OPEN' then
    local kept, held = {}, false
    for _, permit in ipairs(livePermits(breaker, now)) do
      if string.match(permit, '^%d+') == text(fence) then held = true else kept[#kept + 1] = permit end
    end
    if not held then return false, false end
    breaker.permits = table.concat(kept, ',')
    if outcome == 'fail' then
      open(breaker, settings, now, micros, 'a probe failed')
    elseif outcome == 'ok' then
      breaker.successes = breaker.successes + 1
      if breaker.successes >= settings.successesToClose then
        turn(breaker, 'RAMP', now, micros, breaker.successes .. ' probes went well')
        breaker.ring = ''
      end
    end
    return true, false
  end
  if outcome == 'none' or fence < breaker.turnedAt then return false, false end
  local slot = math.floor(now * SLOTS / settings.windowMs)
  countInWindow(breaker, slot, outcome == 'fail' and 1 or 0, slow and 1 or 0, worker)
  breaker.failedInRow = outcome == 'fail' and breaker.failedInRow + 1 or 0
  if outcome ~= 'fail' and not slow then return true, false end
  -- A venue that has just come back is not given as many calls to fail.
  local minimum = breaker.state == 'RAMP' and math.min(settings.successesToClose, settings.minimumCalls) or settings.minimumCalls
  local why, lone = tripping(breaker, settings, slot, minimum)
  if why and not lone then open(breaker, settings, now, micros, why) end
  return true, why ~= nil and lone
end
