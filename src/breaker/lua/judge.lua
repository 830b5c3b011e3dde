-- May an act pass? All that may hold it, decided as one: what people ordered, what the venue said, and the breakers of its levels.
-- Precedence: kill > the venue's hold > forced open > forced closed > automatic. The answer says which level spoke.
-- Needs record.lua for `text`, half-open.lua, ramp.lua and levels.lua.

local KILL_WAIT_MS = 5000
local DEFAULT_PER_SECOND = 20
local LONGEST_QUEUE_S = 30

-- What this level says of an act: pass | take (passes if it takes a place) | probe (a read first) | wait, and until when.
local function breakerJudge(breaker, settings, now, micros, bucket, canProbe)
  local isHoldOver = breaker.holdUntil > 0 and breaker.holdUntil <= now
  if isHoldOver and breaker.state == 'CLOSED' then rampAfterHold(breaker, settings, now, micros) end
  if breaker.state == 'RAMP' then
    if not rampIsOver(breaker, settings, now) then return rampJudge(breaker, settings, now, bucket) end
    closeRamp(breaker, now, micros)
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
  local live = dropDead(breaker, settings, now, micros)
  if breaker.state == 'OPEN' then return 'wait', breaker.openUntil end
  if live < settings.permits then return 'take' end
  -- Probes mostly answer at once: worth asking again soon.
  return 'wait', now + PROBING_WAIT_MS
end

-- The place of an act that passes: one of the permits, or of those that may pass this second.
local function takePlace(breaker, settings, now, fence)
  if breaker.state == 'RAMP' then
    local second = math.floor(now / 1000)
    breaker.passes = breaker.second == second and breaker.passes + 1 or 1
    breaker.second = second
    return
  end
  local permit = text(fence) .. ':' .. text(now + settings.permitMs)
  breaker.permits = breaker.permits == '' and permit or breaker.permits .. ',' .. permit
end

-- The wait is paced: each refused caller is given a later moment, so that they come back as a queue and not as a herd. Who is
-- refused again takes a new place; the queue starts over, lest the places grow for ever.
local function placeInQueue(breaker, perSecond)
  breaker.waiting = (breaker.waiting + 1) % math.max(1, math.floor(perSecond * LONGEST_QUEUE_S))
  return math.floor(breaker.waiting * 1000 / perSecond)
end

local function placeAt(level)
  level.changed = true
  return placeInQueue(level.breaker, level.isAutomatic and settingsOf(level).reopenPerSecond or DEFAULT_PER_SECOND)
end

-- The share of the intents to which this one belongs, 0 to 99: the same for every attempt, so that a retry is not a second draw.
local function bucketOf(member)
  return tonumber(string.sub(redis.sha1hex(member), 1, 4), 16) % 100
end

-- The level that the venue told to wait the longest, if any. What lowers risk waits too: it could not succeed.
local function longestHold(levels, now)
  local longest
  for _, level in ipairs(levels) do
    local holdUntil = level.breaker.holdUntil
    if level.isAutomatic and holdUntil > now then
      if not longest or holdUntil > longest.breaker.holdUntil then longest = level end
    end
  end
  return longest
end

-- The level that people forced open for the longest, if any.
local function longestForce(levels, now)
  local longest
  for _, level in ipairs(levels) do
    if isForced(level.override, 'open', now) then
      if not longest or level.override.untilMs > longest.override.untilMs then longest = level end
    end
  end
  return longest
end

-- The strictest word of people or venue, if any: the level that spoke, by which name, until when and why; and last whether `observe`
-- let pass what the venue said.
local function ordered(levels, now, held)
  if held then
    if isKilled(levels.override) then return levels[1], 'all', now + KILL_WAIT_MS, killedBy(levels.override) end
    for _, level in ipairs(levels) do
      if isKilled(level.override) then return level, level.name, now + KILL_WAIT_MS, killedBy(level.override) end
    end
  end
  local hold = longestHold(levels, now)
  if hold and settingsOf(hold).mode == 'enforce' then
    return hold, hold.name, hold.breaker.holdUntil, hold.breaker.holdWhy
  end
  local force = held and longestForce(levels, now)
  if force then
    local override = force.override
    return force, force.name, override.untilMs, forcedBy(override.actor, override.reason)
  end
  return nil, nil, nil, nil, hold ~= nil
end

-- Answers pass, or wait with ms, level and why, or probe with the level; and whether `observe` or a force let it pass.
local function judgeLevels(levels, now, micros, fence, act)
  local speaker, name, latest, why, wouldBlock = ordered(levels, now, act.held)
  if speaker then return 'wait', latest - now + placeAt(speaker), name, why end
  if not act.held then return 'pass', nil, nil, nil, wouldBlock end
  local probe
  local takers = {}
  for _, level in ipairs(levels) do
    local breaker = level.breaker
    if level.isAutomatic and breaker.turnedAt > micros then
      clockWentBack(breaker, settingsOf(level), now, micros)
      level.changed = true
    end
    if level.isAutomatic and (breaker.state ~= 'CLOSED' or breaker.holdUntil > 0) then
      local settings = settingsOf(level)
      local watched = settings.mode ~= 'enforce' or isForced(level.override, 'closed', now)
      local verdict, till = breakerJudge(breaker, settings, now, micros, act.bucket, act.canProbe and not watched)
      level.changed = true
      if verdict == 'take' then
        takers[#takers + 1] = level
      elseif verdict ~= 'pass' then
        if watched then
          wouldBlock = true
        elseif verdict == 'probe' then
          probe = probe or level
        elseif not latest or till > latest then
          speaker, latest = level, till
        end
      end
    end
  end
  if speaker then return 'wait', math.max(latest - now, 0) + placeAt(speaker), speaker.name, speaker.breaker.why end
  if probe then
    probe.breaker.probeUntil = now + settingsOf(probe).permitMs
    return 'probe', text(probe.breaker.probeUntil), probe.name
  end
  for _, level in ipairs(takers) do takePlace(level.breaker, settingsOf(level), now, fence) end
  return 'pass', nil, nil, nil, wouldBlock
end

-- May a look go to the venue? Levels: the venue, look-ups, and maybe the account. What holds acts says nothing of looking, lest the
-- way back to knowing be shut: only the venue's own word does, and what is said of look-ups themselves.
local function judgeLook(levels, now, micros, fence, bucket)
  local speaker, name, latest, why, heldInObserve = ordered(levels, now, false)
  if speaker then
    -- Their own breaker keeps what holds them all: by that they come back at a pace once it is over.
    if name == 'venue' then hold(levels, now, 'look-up', latest - now, why) end
    return 'wait', latest - now + placeAt(speaker), name, why
  end
  local look = { held = true, canProbe = false, bucket = bucket }
  local verdict, detail, level, said, wouldBlock = judgeLevels({ levels[2] }, now, micros, fence, look)
  return verdict, detail, level, said, wouldBlock or heldInObserve
end
