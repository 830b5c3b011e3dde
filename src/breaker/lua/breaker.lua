-- The breaker of one level: a venue, one job type there, its look-ups, or one account. Shared by all workers; works on the packed state,
-- which the caller reads and writes.
-- CLOSED → OPEN when, within the window, enough calls were made and too many failed or were slow, or so many failed in a row.
-- OPEN → HALF_OPEN when its time is over: where there is a harmless read, one worker tries that first; then a few acts pass, each
-- on a permit that ends by itself. HALF_OPEN → RAMP after enough successes: a growing share of the intents passes, and never
-- more in a second than they are told to come back at. → CLOSED once nobody waits any more; → OPEN again on failures, for twice as
-- long up to the cap.
-- Needs record.lua for `number`, `line` and `text`, and window.lua.

-- 20 lines. Every claim and every end waits for them: as in record.lua one match, and no loop over names.
local BREAKER_LINES = '^' .. string.rep('([^\n]*)\n', 19) .. '(.*)$'
local UNWRITTEN = '3\nCLOSED' .. string.rep('\n', 18)

local function parseBreaker(raw)
  local version, state, since, openUntil, turnedAt, openings, waiting, successes, failures, failedInRow, holdUntil, probeUntil,
    second, passes, fullSecond, atWork, holdWhy, why, permits, ring = string.match(raw or UNWRITTEN, BREAKER_LINES)
  -- Another version's state is not worth stopping for: it is learnt again within a window.
  if version ~= '3' then return parseBreaker(UNWRITTEN) end
  return {
    state = state, -- CLOSED OPEN HALF_OPEN RAMP
    since = number(since), -- when it came to that, Redis ms
    openUntil = number(openUntil), -- end of the last opening
    turnedAt = number(turnedAt), -- when it came to that, Redis microseconds: what was let through before says nothing about now
    openings = number(openings), -- how often it opened of late: each opening doubles the next one's time
    waiting = number(waiting), -- places given to those that were refused
    successes = number(successes), -- of probes
    failures = number(failures), -- of probes, those included whose permit ended by itself
    failedInRow = number(failedInRow),
    holdUntil = number(holdUntil), -- the venue's own "come back at"
    probeUntil = number(probeUntil), -- end of the lease of the worker that tries a read
    second = number(second), -- Redis second in which RAMP let the last one through
    passes = number(passes), -- how many in that second
    fullSecond = number(fullSecond), -- the last one in which somebody came beyond them
    atWork = number(atWork), -- workers that were seen at work before, a bit each; 0 while it is closed
    holdWhy = holdWhy,
    why = why, -- what brought it to its state
    permits = permits, -- fence:until, by commas
    ring = ring, -- calls of the window: see window.lua
  }
end

local function packBreaker(breaker)
  return table.concat({
    '3', breaker.state, line(breaker.since), line(breaker.openUntil), line(breaker.turnedAt), line(breaker.openings),
    line(breaker.waiting), line(breaker.successes), line(breaker.failures), line(breaker.failedInRow), line(breaker.holdUntil),
    line(breaker.probeUntil), line(breaker.second), line(breaker.passes), line(breaker.fullSecond), line(breaker.atWork),
    breaker.holdWhy, breaker.why, breaker.permits, breaker.ring,
  }, '\n')
end

-- In the order of `packBreakerSettings`.
local SETTINGS_LINE = '^' .. string.rep('([^,]*),', 14) .. '(.*)$'
local function breakerSettings(packed)
  local windowMs, minimumCalls, failureRatio, slowMs, slowRatio, failuresInRow, quorum, openMs, maximumOpenMs, permits, permitMs,
    successesToClose, rampMs, reopenPerSecond, mode = string.match(packed, SETTINGS_LINE)
  return {
    windowMs = tonumber(windowMs), minimumCalls = tonumber(minimumCalls), failureRatio = tonumber(failureRatio),
    slowMs = tonumber(slowMs), slowRatio = tonumber(slowRatio), failuresInRow = tonumber(failuresInRow),
    quorum = tonumber(quorum), openMs = tonumber(openMs), maximumOpenMs = tonumber(maximumOpenMs), permits = tonumber(permits),
    permitMs = tonumber(permitMs), successesToClose = tonumber(successesToClose), rampMs = tonumber(rampMs),
    reopenPerSecond = tonumber(reopenPerSecond), mode = mode,
  }
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
  if not breaker.turns then return '' end
  local at = string.format('%.0f', math.floor(breaker.turnedAt / 1000))
  return (string.gsub(breaker.turns, '[^\n]+', at .. ' %0'))
end

-- Begins a new window, in which nobody has been seen at work yet: until it is closed the workers of the one before count too, lest one
-- whose network fails pass for the whole fleet.
local function forgetCalls(breaker)
  breaker.atWork, breaker.ring = union(breaker.atWork, sumCalls(breaker.ring).active), ''
end

local function shut(breaker, now, micros, untilMs, why)
  forgetCalls(breaker)
  turn(breaker, 'OPEN', now, micros, why)
  breaker.openUntil = untilMs
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

-- Redis's clock stands before the last turn: it went back, as a failover may bring about. What was to end by it ends within the longest
-- time of its kind from now on, and what is let through from now on is heard. The venue's hold is not known to be too long.
local function clockWentBack(breaker, settings, now, micros)
  breaker.turnedAt, breaker.since = micros, math.min(breaker.since, now)
  breaker.openUntil = math.min(breaker.openUntil, now + settings.maximumOpenMs)
  breaker.probeUntil = math.min(breaker.probeUntil, now + settings.permitMs)
  breaker.second, breaker.passes, breaker.fullSecond = 0, 0, 0
  breaker.permits = string.gsub(breaker.permits, ':(%d+)', function(till)
    return ':' .. text(math.min(tonumber(till), now + settings.permitMs))
  end)
end
