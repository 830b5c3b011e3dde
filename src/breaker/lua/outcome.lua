-- How acts ended, and what that makes of the breaker of one level.
-- Needs record.lua for `text`, half-open.lua, ramp.lua and levels.lua.

-- The end of an act while HALF_OPEN: only the holder of a live permit is heard.
local function probeEnded(breaker, settings, now, micros, fence, outcome, slow, worker)
  local _, dead = dropDead(breaker, settings, now, micros)
  local kept, held = {}, false
  for permit in string.gmatch(breaker.permits, '[^,]+') do
    if string.match(permit, '^%d+') == text(fence) then held = true else kept[#kept + 1] = permit end
  end
  if not held then return dead > 0, false end
  breaker.permits = table.concat(kept, ',')
  if outcome == 'none' then return true, false end
  if outcome == 'own' and not ownProbe(breaker, settings, now, worker) then return true, true end
  if outcome ~= 'ok' or slow and settings.slowRatio > 0 then
    probesFailed(breaker, settings, now, micros, 1)
    return true, false
  end
  breaker.successes = breaker.successes + 1
  if breaker.successes >= settings.successesToClose then
    turn(breaker, 'RAMP', now, micros, breaker.successes .. ' probes went well')
    forgetCalls(breaker)
  end
  return true, false
end

-- Counts how an act ended, and opens the breaker where that is enough. Answers whether the teller is alone in failing.
local function countEnd(breaker, settings, now, micros, outcome, slow, worker)
  breaker.ring = countCall(breaker.ring, slotOf(now, settings.windowMs), worker, outcome == 'fail' and 1 or 0,
    slow and 1 or 0, outcome == 'own' and 1 or 0)
  if outcome == 'ok' then
    breaker.failedInRow = 0
    if not slow then return false end
  end
  local sums = sumCalls(breaker.ring)
  if ownCount(breaker, settings, sums) then
    sums.calls, sums.fails, sums.failing = sums.calls + sums.owns, sums.fails + sums.owns, union(sums.failing, sums.owning)
  elseif outcome == 'own' then
    return true
  end
  if outcome ~= 'ok' then breaker.failedInRow = breaker.failedInRow + 1 end
  -- A venue that has just come back is not given as many calls to fail.
  local minimum = breaker.state == 'RAMP' and math.min(settings.successesToClose, settings.minimumCalls) or settings.minimumCalls
  local why
  if settings.failuresInRow > 0 and breaker.failedInRow >= settings.failuresInRow then
    why = string.format('%d failures in a row', breaker.failedInRow)
  elseif sums.calls >= minimum and sums.fails / sums.calls >= settings.failureRatio then
    why = string.format('%d of %d calls failed', sums.fails, sums.calls)
  elseif sums.calls >= minimum and settings.slowRatio > 0 and sums.slows / sums.calls >= settings.slowRatio then
    why = string.format('%d of %d calls took over %d ms', sums.slows, sums.calls, settings.slowMs)
  end
  if not why then return false end
  if workersIn(sums.failing) < quorumOf(breaker, settings, sums) then return true end
  open(breaker, settings, now, micros, why)
  return false
end

-- What became of an act: outcome is ok, fail, own (a failure of the worker's own network) or none (says nothing about the
-- venue's health). Answers whether the state is to be written, and whether the teller is alone in failing.
local function breakerRecord(breaker, settings, now, micros, fence, outcome, slow, worker)
  if breaker.state == 'OPEN' then return false, false end
  if breaker.state == 'HALF_OPEN' then return probeEnded(breaker, settings, now, micros, fence, outcome, slow, worker) end
  local heard, lone = outcome ~= 'none' and fence >= breaker.turnedAt, false
  if heard then lone = countEnd(breaker, settings, now, micros, outcome, slow, worker) end
  if breaker.state ~= 'RAMP' or not rampIsOver(breaker, settings, now) then return heard, lone end
  closeRamp(breaker, now, micros)
  return true, lone
end

-- The same for a level that counts it. `told`: outcome, elapsedMs, worker; isNews: false where the record has moved on. Then only a
-- probe's place is given back: nothing is counted twice because a reply was lost.
local function levelEnded(level, now, micros, fence, told)
  if not level.isAutomatic or not told.isNews and level.breaker.state ~= 'HALF_OPEN' then return false end
  local settings, outcome = settingsOf(level), told.outcome
  local slow = settings.slowMs > 0 and told.elapsedMs >= settings.slowMs and (outcome == 'ok' or outcome == 'fail')
  local counted, lone = breakerRecord(level.breaker, settings, now, micros, fence, outcome, slow, told.worker)
  level.changed = level.changed or counted
  return lone
end
