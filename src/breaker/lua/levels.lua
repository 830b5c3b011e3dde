-- The levels that see an act, as their keys hold them.
-- Needs breaker.lua and orders.lua.
-- Keys from `first` on: overrides of `all`, then of each level its overrides and its breaker.

-- names and settings: one for each level, by spaces and bars; settings are '' where nothing is automatic.
local function parseLevels(raws, first, names, settings)
  local levels, i = { override = parseOverride(raws[first]) }, 0
  local packed = {}
  for each in string.gmatch(settings .. '|', '([^|]*)|') do packed[#packed + 1] = each end
  for name in string.gmatch(names, '%S+') do
    i = i + 1
    local at = first + 2 * i
    levels[i] = { name = name, key = at, override = parseOverride(raws[at - 1]), breaker = parseBreaker(raws[at]),
      isAutomatic = packed[i] ~= '', packed = packed[i] }
  end
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
