-- How levels of a venue stand, and the time by the clock that their ends are told in. A worker that asks takes its number with
-- that, or renews the lease of it: the bit of window.lua by which breakers tell its failures from those of others. It keeps the
-- number that it has unless another is less used: so no two are alike while there are enough, also after Redis lost them.
-- KEYS  overrides and breakers, as asked  last, where a worker asks: numbers of the workers
-- ARGV  1 token of the worker's process (absent: nobody takes a number, and nothing changes)  2 the number that it has
-- Reply ms, number of the worker ('' where none asks), then the value of each override and breaker
--#include record

local NUMBERS = 31
-- Long enough that a pause costs no worker its number. As what is written goes with its process's lease, no more is kept than
-- started within one.
local LEASE_MS, RENEW_MS = 30000, 20000

local now, values = redisTime(), redis.call('MGET', unpack(KEYS))
local token, number = ARGV[1], tonumber(ARGV[2])
if not token then return { text(now), '', unpack(values) } end

-- number:end of its lease:token of its holder, by commas
local kept, users, heldNumber, heldMs = {}, {}, nil, 0
for each = 0, NUMBERS - 1 do users[each] = 0 end
for lease, held, till, holder in string.gmatch(table.remove(values) or '', '((%d+):(%d+):(%x+))') do
  local leftMs = tonumber(till) - now
  -- None is longer than a lease, unless Redis's clock went back.
  if leftMs > 0 and leftMs <= LEASE_MS then
    if holder == token then
      heldNumber, heldMs = tonumber(held), leftMs
    else
      kept[#kept + 1], users[tonumber(held)] = lease, users[tonumber(held)] + 1
    end
  end
end
for each = 0, NUMBERS - 1 do
  if users[each] < users[number] then number = each end
end
if number ~= heldNumber or heldMs <= RENEW_MS then
  kept[#kept + 1] = text(number) .. ':' .. text(now + LEASE_MS) .. ':' .. token
  -- A Redis that is full, or short of replicas, refuses this: how the breakers stand is told all the same.
  redis.pcall('SET', KEYS[#KEYS], table.concat(kept, ','), 'PX', LEASE_MS)
end
return { text(now), text(number), unpack(values) }
