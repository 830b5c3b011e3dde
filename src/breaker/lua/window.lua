-- The calls of late, as the breaker of one level counts them: a ring of slots in one string, each a tenth of the window. All
-- workers count in it, and each is a bit of a mask: how many of them saw failures matters beside how many there were.

local SLOTS = 10
-- slot:calls:failures:slow:workers:failing workers:own failures:workers that had them; by commas, the newest first.
local SLOT = '(%d+):(%d+):(%d+):(%d+):(%d+):(%d+):(%d+):(%d+)'

local function slotOf(now, windowMs) return math.floor(now * SLOTS / windowMs) end

local function withWorker(mask, worker)
  return math.floor(mask / 2 ^ worker) % 2 == 1 and mask or mask + 2 ^ worker
end

local function union(a, b)
  local both, bit = 0, 1
  while a > 0 or b > 0 do
    if a % 2 == 1 or b % 2 == 1 then both = both + bit end
    a, b, bit = math.floor(a / 2), math.floor(b / 2), bit * 2
  end
  return both
end

local function workersIn(mask)
  local count = 0
  while mask > 0 do count, mask = count + mask % 2, math.floor(mask / 2) end
  return count
end

-- Counts one more call: `failed`, `slow` and `own` are 0 or 1. An own failure never reached the venue and is kept apart from its calls.
-- Slots are stamped with their own number, so that an idle time leaves no stale failures behind. What comes late, from a
-- worker whose news travelled slower, counts in the newest slot.
local function countCall(ring, slot, worker, failed, slow, own)
  local at, calls, fails, slows, active, failing, owns, owning, rest = string.match(ring, '^' .. SLOT .. '(.*)$')
  at = tonumber(at)
  if at and at - slot >= SLOTS then at = nil end -- Redis's clock went back: what the ring holds lies ahead of it
  if not at or slot > at then
    local kept = {}
    if at then
      for old in string.gmatch(ring, '[^,]+') do
        if slot - tonumber(string.match(old, '^%d+')) < SLOTS then kept[#kept + 1] = old end
      end
    end
    rest = #kept > 0 and ',' .. table.concat(kept, ',') or ''
    at, calls, fails, slows, active, failing, owns, owning = slot, 0, 0, 0, 0, 0, 0, 0
  end
  active, failing, owning = withWorker(tonumber(active), worker), tonumber(failing), tonumber(owning)
  if failed > 0 or slow > 0 then failing = withWorker(failing, worker) end
  if own > 0 then owning = withWorker(owning, worker) end
  return string.format('%.0f:%d:%d:%d:%.0f:%.0f:%d:%.0f', at, calls + 1 - own, fails + failed, slows + slow, active, failing,
    owns + own, owning) .. rest
end

-- The whole window, once a call of now is counted.
local function sumCalls(ring)
  local sums = { calls = 0, fails = 0, slows = 0, active = 0, failing = 0, owns = 0, owning = 0 }
  for _, calls, fails, slows, active, failing, owns, owning in string.gmatch(ring, SLOT) do
    sums.calls, sums.fails, sums.slows, sums.owns = sums.calls + calls, sums.fails + fails, sums.slows + slows, sums.owns + owns
    sums.active, sums.failing = union(sums.active, tonumber(active)), union(sums.failing, tonumber(failing))
    sums.owning = union(sums.owning, tonumber(owning))
  end
  return sums
end
