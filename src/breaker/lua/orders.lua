-- What people ordered of a level. Kill and force are slots of their own: a kill wins while it is set, and lifting it leaves a force
-- that has not ended.

-- Lines: version, number of the order, kill, force, until, actor, reason, ticket, killed by, why killed; for people, when it was
-- forced and when it was killed; hash of the order's row. Whoever reads fewer lines goes by those.
local function parseOverride(raw)
  if not raw or raw == '' then return nil end
  local lines = {}
  for line in string.gmatch(raw .. '\n', '([^\n]*)\n') do lines[#lines + 1] = line end
  -- Whoever cannot read a kill must not act as if there were none.
  if lines[1] ~= '1' then error('fillsafe: override version ' .. tostring(lines[1]) .. ' is newer than this worker') end
  return { number = tonumber(lines[2]) or 0, kill = lines[3] == '1', force = lines[4], untilMs = tonumber(lines[5]) or 0,
    actor = lines[6] or '', reason = lines[7] or '', killedBy = lines[9] or '', killReason = lines[10] or '', hash = lines[13] or '' }
end

local function isKilled(override) return override ~= nil and override.kill end

local function isForced(override, force, now)
  return override ~= nil and override.force == force and override.untilMs > now
end

local function killedBy(override) return 'killed by ' .. override.killedBy .. ': ' .. override.killReason end

local function forcedBy(actor, reason) return 'forced open by ' .. actor .. ': ' .. reason end
