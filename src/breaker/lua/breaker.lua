-- The breaker of one level: a venue, one job type there, or one account. Shared by all workers; works on the packed state,
-- which the caller reads and writes.
-- CLOSED → OPEN when, within the window, enough calls were made and too many failed or were slow, or so many failed in a row.
-- OPEN → HALF_OPEN when its time is over: where there is a harmless read, one worker tries that first; then a few acts pass, each
-- on a permit that ends by itself. HALF_OPEN → RAMP after enough successes: a growing share of the intents passes, and never
-- more in a second than they are told to come back at. → CLOSED once nobody waits any more; → OPEN again on failures, for twice as
-- long up to the cap.
-- Needs window.lua.

local BREAKER_FIELDS = {
  'version', -- 3
  'state', -- CLOSED OPEN HALF_OPEN RAMP
  'since', -- when it came to that, Redis ms
  'openUntil', -- end of the last opening
  'turnedAt', -- when it came to that, Redis microseconds: what was let through before says nothing about now
  'openings', -- how often it opened of late: each opening doubles the next one's time
  'waiting', -- places given to those that were refused
  'successes', -- of probes
  'failures', -- of probes, those included whose permit ended by itself
  'failedInRow',
  'holdUntil', -- the venue's own "come back at"
  'probeUntil', -- end of the lease of the worker that tries a read
  'second', -- Redis second in which RAMP let the last one through
  'passes', -- how many in that second
  'fullSecond', -- the last one in which somebody came beyond them
  'atWork', -- workers that were seen in the window when it opened, a bit each
  'holdWhy',
  'why', -- what brought it to its state
  'permits', -- fence:until, by commas
  'ring', -- calls of the window: see window.lua
}
local BREAKER_TEXTS = { version = true, state = true, holdWhy = true, why = true, permits = true, ring = true }
local BREAKER_LINES = '^' .. string.rep('([^\n]*)\n', #BREAKER_FIELDS - 1) .. '(.*)$'

local function parseBreaker(raw)
  local values, breaker = raw and { string.match(raw, BREAKER_LINES) } or {}, {}
  -- Another version's state is not worth stopping for: it is learnt again within a window.
  if values[1] ~= '3' then values = { '3', 'CLOSED' } end
  for i, name in ipairs(BREAKER_FIELDS) do
    local value = values[i] or ''
    if BREAKER_TEXTS[name] then breaker[name] = value else breaker[name] = value ~= '' and tonumber(value) or 0 end
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
  local values, settings = { string.match(packed, SETTINGS_LINE) }, {}
  for i, name in ipairs(SETTINGS) do settings[name] = tonumber(values[i]) end
  settings.mode = values[#SETTINGS + 1]
  return settings
end

-- `turns` is for the caller to tell on, by `turnsOf`.
local function turn(breaker, state, now, micros, why)
  breaker.turns = (breaker.turns and breaker.turns .. '\n' or '') .. breaker.state .. ' ' .. state .. ' ' .. why
  breaker.state, breaker.since, breaker.turnedAt, breaker.why = state, now, math.max(breaker.turnedAt + 1, micros), why
  breaker.waiting, breaker.successes, breaker.failures, breaker.failedInRow = 0, 0, 0, 0
  breaker.probeUntil, breaker.permits = 0, ''
  breaker.second, breaker.passes, breaker.fullSecond = 0, 0, 0
end

-- What turned in this step, as lines: at (Redis ms, one for all of them), from, to, why. Of two steps the later one says more:
-- workers tell of them in any order.
local function turnsOf(breaker)
  local at = string.format('%.0f', math.floor(breaker.turnedAt / 1000))
  return (string.gsub(breaker.turns or '', '[^\n]+', at .. ' %0'))
end

local function shut(breaker, now, micros, untilMs, why)
  -- While it is open nobody is seen at work: one worker whose network fails must not pass for the whole fleet.
  breaker.atWork = union(breaker.atWork, sumCalls(breaker.ring).active)
  turn(breaker, 'OPEN', now, micros, why)
  breaker.openUntil, breaker.ring = untilMs, ''
end

local function open(breaker, settings, now, micros, why)
  -- Every quiet time of the longest opening halves the next one again.
  if breaker.state == 'CLOSED' then
    breaker.openings = math.max(breaker.openings - math.max(math.floor((now - breaker.since) / settings.maximumOpenMs), 0), 0)
  end
  shut(breaker, now, micros, now + math.min(settings.openMs * 2 ^ math.min(breaker.openings, 10), settings.maximumOpenMs), why)
  breaker.openings = breaker.openings + 1
end

-- Workers that must see failures before all are held: one that is alone at work is enough.
local function quorumOf(breaker, settings, sums)
  return math.min(settings.quorum, workersIn(union(sums.active, breaker.atWork)))
end

-- Failures of a worker's own network speak of that worker; those of enough workers speak of the venue.
local function ownCount(breaker, settings, sums)
  return workersIn(sums.owning) >= quorumOf(breaker, settings, sums)
end
