-- RAMP: a growing share of the intents passes, and never more in a second than those that wait are told to come back at.
-- Needs breaker.lua.

local SHARES = { 10, 25, 50, 100 }

-- `since` comes from a worker's settle and may lie a little ahead.
local function rampStage(breaker, settings, now)
  return math.min(math.max(math.floor((now - breaker.since) / settings.rampMs), 0) + 1, #SHARES)
end

-- How many may pass in a second. With each further time of a stage the last one lets twice as many through: what comes by itself
-- may be more than the pace, and would never be let through otherwise.
local function rampPace(breaker, settings, now)
  local further = math.max(math.floor((now - breaker.since) / settings.rampMs) - #SHARES + 1, 0)
  return math.max(math.floor(settings.reopenPerSecond), 1) * 2 ^ math.min(further, 20)
end

-- It is over once a whole second of the last stage has passed in which nobody came beyond the pace: then none wait any more.
local function rampIsOver(breaker, settings, now)
  local begun = math.ceil((breaker.since + (#SHARES - 1) * settings.rampMs) / 1000)
  return now >= (math.max(begun, breaker.fullSecond + 1) + 1) * 1000
end

-- The end of a hold leaves nobody's health in doubt, but as many acts waiting as any other: every intent may pass, and no more in a
-- second. So it begins in the last stage, as if the others had been.
local function rampAfterHold(breaker, settings, now, micros)
  turn(breaker, 'RAMP', now, micros, 'over: ' .. breaker.holdWhy)
  breaker.since = now - (#SHARES - 1) * settings.rampMs
  breaker.holdUntil = 0
  forgetCalls(breaker)
end

local function closeRamp(breaker, now, micros)
  turn(breaker, 'CLOSED', now, micros, 'a second long nobody had to wait')
  breaker.atWork = 0
  -- One that ended meanwhile needs no way back of its own.
  if breaker.holdUntil <= now then breaker.holdUntil = 0 end
end

-- What RAMP says of an act.
local function rampJudge(breaker, settings, now, bucket)
  local stage = rampStage(breaker, settings, now)
  if bucket >= SHARES[stage] then
    repeat stage = stage + 1 until bucket < SHARES[stage]
    return 'wait', breaker.since + (stage - 1) * settings.rampMs
  end
  local second = math.floor(now / 1000)
  if breaker.second == second and breaker.passes >= rampPace(breaker, settings, now) then
    breaker.fullSecond = second
    return 'wait', (second + 1) * 1000
  end
  return 'take'
end
