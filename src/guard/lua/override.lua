-- What people ordered of one level, as its control workflow has it; Redis holds a projection. The order, its audit row and what
-- follows for the automatic state are one step.
-- KEYS  1 override  2 audit stream  3 in-flight set  4 breaker of the level; for `all`, which has none, that of the venue
-- ARGV  1 number of the last order  2 1 if killed  3 open | closed | '' if nothing is forced  4 ms for which that still holds
--       5 actor  6 reason  7 ticket of what is forced  8 who killed  9 why  10 when it was forced  11 when it was killed, ms by
--       the clock of Temporal, 0 if that is not known  12 hash of the last order's row, '' if that is not known
--       13 1 if the level is `all`
--       then the last orders' audit rows, the oldest first, each as its number and its text
-- Reply OK number turns | STALE number
--#include record
--#include window
--#include breaker
--#include orders

local number, kill, forMs = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[4])
local force = forMs > 0 and ARGV[3] or ''
local now, micros = redisTime()
local before = parseOverride(redis.call('GET', KEYS[1]))
local known = before and before.number or 0
-- An older order that comes late, or the same one again: its row is there already.
if known > number then return { 'STALE', text(known) } end
if known == number then
  -- Another order of this number: Temporal lost its last ones and goes on from an earlier one. Those come first.
  local isAnother = number > 0 and before.hash ~= '' and ARGV[12] ~= '' and before.hash ~= ARGV[12]
  return isAnother and { 'STALE', text(known) } or { 'OK', text(known), '' }
end

-- A ZREM may pass when Redis is full, and lets what follows pass too: a kill must not wait for memory.
redis.call('ZREM', KEYS[3], '')
local untilMs = force == '' and 0 or now + forMs
redis.call('SET', KEYS[1], table.concat({ '1', text(number), kill, force, text(untilMs), unpack(ARGV, 5, 12) }, '\n'))
for i = 14, #ARGV, 2 do
  -- More than one where Redis had lost them, or was away for some.
  if tonumber(ARGV[i]) > known then redis.call('XADD', KEYS[2], '*', 'what', 'override', 'number', ARGV[i], 'row', ARGV[i + 1]) end
end
local breaker = parseBreaker(redis.call('GET', KEYS[4]))
local isLifted = isKilled(before) and kill ~= '1'
-- What a kill held comes back as after a hold of the venue that ends now.
if isLifted and breaker.holdUntil <= now then breaker.holdUntil, breaker.holdWhy = now, killedBy(before) end
local isAll = ARGV[13] == '1'
local isHeld = breaker.state == 'OPEN' and isForced(before, 'open', now)
if force == 'open' and not isHeld and not isAll then
  shut(breaker, now, micros, untilMs, forcedBy(ARGV[5], ARGV[6]))
elseif isHeld and not isAll then
  -- Its end has moved; lifted before its time it goes on to probing at once, as at its end.
  breaker.openUntil = force == 'open' and untilMs or now
elseif not isLifted then
  return { 'OK', text(number), '' }
end
redis.call('SET', KEYS[4], packBreaker(breaker))
return { 'OK', text(number), turnsOf(breaker) }
