-- What a harmless read showed that a worker tried before anything was let through to a venue again.
-- KEYS  1 breaker
-- ARGV  1 token of the probe  2 ok | fail | own (it did not leave its worker)  3 settings of the breaker  4 number of the worker
-- Reply TAKEN turn lone | LATE: the probe's time was over, or the breaker has moved on
--#include record
--#include window
--#include breaker
--#include half-open

local keyBreaker, token, outcome, settings = KEYS[1], ARGV[1], ARGV[2], breakerSettings(ARGV[3])
local now, micros = redisTime()
local breaker = parseBreaker(redis.call('GET', keyBreaker))
if breaker.state ~= 'OPEN' or text(breaker.probeUntil) ~= token or now >= breaker.probeUntil then return { 'LATE' } end
local lone = outcome == 'own' and not ownProbe(breaker, settings, now, tonumber(ARGV[4]))
if lone then
  -- Another worker is to try; soon, but not this one again at once.
  breaker.probeUntil = now + PROBING_WAIT_MS
elseif outcome == 'ok' then
  turn(breaker, 'HALF_OPEN', now, micros, 'a read was answered')
else
  open(breaker, settings, now, micros, 'a read failed')
end
redis.call('SET', keyBreaker, packBreaker(breaker))
return { 'TAKEN', turnsOf(breaker), lone and '1' or '0' }
