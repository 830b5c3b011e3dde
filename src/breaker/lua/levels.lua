-- All that may hold an act, decided as one: what people ordered, what the venue said, and the breakers of its levels.
-- Precedence: kill > the venue's hold > forced open > forced closed > automatic. The answer says which level spoke.
-- Needs record.lua and breaker.lua.
-- Keys from `first` on: overrides of `all`, then of each level its overrides and its breaker.

local KILL_WAIT_MS = 5000
local DEFAULT_PER_SECOND = 20

-- Lines: version, number of the order, kill, force, until, actor, reason, ticket, killed by, why killed.
local function parseOverride(raw)
  if not raw or raw == '' then return nil end
  local lines = {}
  for line in string.gmatch(raw .. '\n', '([^\n]*)\n') do lines[#lines + 1] = line end
  -- Whoever cannot read a kill must not act as if there were none.
  if lines[1] ~= '1' then error('fillsafe: override version ' .. tostring(lines[1]) .. ' is newer than this worker') end
  return { number = tonumber(lines[2]) or 0, kill = lines[3] == '1', force = lines[4], untilMs = tonumber(lines[5]) or 0, actor = lines[6] or '', reason = lines[7] or '',
    killedBy = lines[9] or '', killReason = lines[10] or '' }
end

-- names and settings: one for each level, by spaces and bars; settings are '' where nothing is automatic.
local function parseLevels(raws, first, names, settings)
  local levels, i = { override = parseOverride(raws[first]) }, 0
  local packed = {}
  for each in string.gmatch(settings .. '|', '([^|]*)|') do packed[#packed + 1] = each end
  for name in string.gmatch(names, '%S+') do
    i = i + 1
    local at = first + 2 * i
    levels[i] = { name = name, key = at, override = parseOverride(raws[at - 1]),
      settings = breakerSettings(packed[i]), breaker = parseBreaker(raws[at]) }
  end
  return levels
end

local function forced(level, force, now)
  local override = level.override
  return override ~= nil and override.force == force and override.untilMs > now
end

-- An act that lowers risk is held where it could not succeed, not by what concerns the load of another endpoint.
local function concernsAll(level)
  return level.name == 'venue' or string.sub(level.name, 1, 8) == 'account:'
end

local function by(actor, reason) return ' by ' .. actor .. ': ' .. reason end

-- The strictest word of people or venue, if any: ms until which to wait, the level that spoke, why.
local function ordered(levels, now, held)
  if held then
    if levels.override and levels.override.kill then
      return now + KILL_WAIT_MS, 'all', 'killed' .. by(levels.override.killedBy, levels.override.killReason)
    end
    for _, level in ipairs(levels) do
      if level.override and level.override.kill then
        return now + KILL_WAIT_MS, level.name, 'killed' .. by(level.override.killedBy, level.override.killReason)
      end
    end
  end
  local holding
  for _, level in ipairs(levels) do
    if (held or concernsAll(level)) and level.breaker.holdUntil > now and level.settings and level.settings.mode == 'enforce' then
      if not holding or level.breaker.holdUntil > holding.breaker.holdUntil then holding = level end
    end
  end
  if holding then return holding.breaker.holdUntil, holding.name, holding.breaker.holdWhy end
  if held then
    for _, level in ipairs(levels) do
      if forced(level, 'open', now) then
        return level.override.untilMs, level.name, 'forced open' .. by(level.override.actor, level.override.reason)
      end
    end
  end
end

-- May an act pass? Answers pass, or wait with ms, level and why, or probe with the level; and whether `observe` let it pass.
local function judgeLevels(levels, now, micros, fence, act)
  local untilMs, name, why = ordered(levels, now, act.held)
  if untilMs then
    local speaker = levels[1]
    for _, level in ipairs(levels) do if level.name == name then speaker = level end end
    local perSecond = speaker and speaker.settings and speaker.settings.reopenPerSecond or DEFAULT_PER_SECOND
    local paced = 0
    if speaker then paced, speaker.changed = placeInQueue(speaker.breaker, perSecond), true end
    return 'wait', untilMs - now + paced, name, why
  end
  if not act.held then return 'pass' end
  local speaker, latest, probe, wouldBlock
  local permits = {}
  for _, level in ipairs(levels) do
    local breaker, settings = level.breaker, level.settings
    if settings and breaker.state ~= 'CLOSED' then
      local watched = settings.mode ~= 'enforce' or forced(level, 'closed', now)
      local verdict, till = breakerJudge(breaker, settings, now, micros, act.bucket, act.canProbe and not watched)
      level.changed = true
      if verdict == 'permit' then
        permits[#permits + 1] = level
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
  if speaker then
    local paced = placeInQueue(speaker.breaker, speaker.settings.reopenPerSecond)
    return 'wait', math.max(latest - now, 0) + paced, speaker.name, speaker.breaker.why
  end
  if probe then
    probe.breaker.probeUntil = now + probe.settings.permitMs
    return 'probe', text(probe.breaker.probeUntil), probe.name
  end
  for _, level in ipairs(permits) do takePermit(level.breaker, level.settings, now, fence) end
  return 'pass', nil, nil, nil, wouldBlock
end

-- What turned, as lines: level from to why.
local function turnsOf(levels)
  local lines = {}
  for _, level in ipairs(levels) do
    for each in string.gmatch(level.breaker.turns or '', '[^\n]+') do lines[#lines + 1] = level.name .. ' ' .. each end
  end
  return table.concat(lines, '\n')
end

-- A cluster that moves keys to another node answers no script while some of its keys are there and others nowhere: with the
-- first GO all are made, so that replays go on meanwhile.
local function makeLevels(raws, first, levels, keys, args)
  local function make(override)
    if not raws[override] then args[#args + 1], args[#args + 2] = keys[override], '' end
  end
  make(first)
  for _, level in ipairs(levels) do
    make(level.key - 1)
    level.changed = level.changed or not raws[level.key]
  end
end

-- Appends what has changed to the arguments of an MSET.
local function changedLevels(levels, keys, args)
  for _, level in ipairs(levels) do
    if level.changed then
      args[#args + 1], args[#args + 2] = keys[level.key], packBreaker(level.breaker)
    end
  end
  return args
end
