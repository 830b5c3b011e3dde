-- HALF_OPEN: a few acts pass to see whether the venue is well again, each on a permit that ends by itself.
-- Needs window.lua and breaker.lua.

local PROBING_WAIT_MS = 1000

-- Of a probe or a read that could not leave its worker: whether that speaks of the venue.
local function ownProbe(breaker, settings, now, worker)
  breaker.ring = countCall(breaker.ring, slotOf(now, settings.windowMs), worker, 0, 0, 1)
  return ownCount(breaker, settings, sumCalls(breaker.ring))
end

-- A few failed probes are borne: a venue that is well again still fails at times.
local function probesFailed(breaker, settings, now, micros, count)
  breaker.failures = breaker.failures + count
  if breaker.failures > settings.failureRatio * settings.permits then
    open(breaker, settings, now, micros, string.format('%d probes failed or never told', breaker.failures))
  end
end

-- A permit that ended by itself frees its place and counts as a failed probe: its holder is gone, or waits for an answer that is
-- long due. Answers how many live on, and how many ended.
local function dropDead(breaker, settings, now, micros)
  local live, dead = {}, 0
  for holder, till in string.gmatch(breaker.permits, '(%d+):(%d+)') do
    if tonumber(till) > now then live[#live + 1] = holder .. ':' .. till else dead = dead + 1 end
  end
  breaker.permits = table.concat(live, ',')
  if dead > 0 then probesFailed(breaker, settings, now, micros, dead) end
  return #live, dead
end
