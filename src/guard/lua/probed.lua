-- What a harmless read showed that a worker tried before anything was let through to a venue again.
-- KEYS  1 breaker
-- ARGV  1 token of the probe  2 ok | fail  3 settings of the breaker
-- Reply TAKEN turn | LATE: the probe's time was over, or the breaker has moved on
--#include record
--#include breaker

local keyBreaker, token, outcome = KEYS[1], ARGV[1], ARGV[2]
local now, micros = redisTime()
local breaker = parseBreaker(redis.call('GET', keyBreaker))
if breaker.state ~= 'OPEN' or text(breaker.probeUntil) ~= token or now >= breaker.probeUntil then return { 'LATE' } end
if outcome == 'ok' then
  turn(breaker, 'HALF_OPEN', now, micros, 'a read was answered')
else
  open(breaker, breakerSettings(ARGV[3]), now, micros, 'a read failed')
end
redis.call('SET', keyBreaker, packBreaker(breaker))
return { 'TAKEN', breaker.turns }
