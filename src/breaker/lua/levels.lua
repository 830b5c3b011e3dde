-- The levels that see an act, as their keys hold them.
-- Needs breaker.lua; parseLevels needs orders.lua too.

-- names and settings: one for each level, by spaces and bars; settings are '' where nothing is automatic. Their breakers have the
-- key `first` and every `step`-th after it.
local function parseBreakers(raws, first, step, names, settings)
  local levels, at, eachSettings = {}, first, string.gmatch(settings .. '|', '([^|]*)|')
  for name in string.gmatch(names, '%S+') do
    local packed = eachSettings()
    levels[#levels + 1] = { name = name, key = at, breaker = parseBreaker(raws[at]), isAutomatic = packed ~= '', packed = packed }
    at = at + step
  end
  return levels
end

-- With what people ordered. Keys from `first` on: overrides of `all`, then of each level its overrides and its breaker.
local function parseLevels(raws, first, names, settings)
  local levels = parseBreakers(raws, first + 2, 2, names, settings)
  levels.override = parseOverride(raws[first])
  for _, level in ipairs(levels) do level.override = parseOverride(raws[level.key - 1]) end
  return levels
end

-- Not read where nothing asks for them: mostly a breaker is closed, and every act waits for this.
local function settingsOf(level)
  level.settings = level.settings or breakerSettings(level.packed)
  return level.settings
end

-- What turned, as lines: level at from to why.
local function levelTurns(levels)
  local lines = {}
  for _, level in ipairs(levels) do
    for each in string.gmatch(turnsOf(level.breaker), '[^\n]+') do lines[#lines + 1] = level.name .. ' ' .. each end
  end
  return table.concat(lines, '\n')
end

-- A cluster that moves keys to another node answers no script while some of its keys are there and others nowhere: with the
-- first GO or look all are made, so that replays go on meanwhile.
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

-- Writes what has changed, and `args` with it. A ZREM may pass when Redis is full, and lets what follows pass too.
local function saveLevels(levels, keys, keyInflight, args)
  local changed = changedLevels(levels, keys, args)
  if #changed == 0 then return end
  redis.call('ZREM', keyInflight, '')
  redis.call('MSET', unpack(changed))
end

-- The venue told one level not to come back before `ms` have passed. Of two such the longer one holds.
local function hold(levels, now, name, ms, why)
  for _, level in ipairs(levels) do
    if level.isAutomatic and level.name == name and now + ms > level.breaker.holdUntil then
      level.breaker.holdUntil, level.breaker.holdWhy, level.changed = now + ms, why, true
    end
  end
end
