-- How levels of a venue stand, and the time by the clock that their ends are told in. Changes nothing.
-- KEYS  overrides and breakers, as asked
-- Reply ms, then the value of each key
--#include record

local now = redisTime()
return { text(now), unpack(redis.call('MGET', unpack(KEYS))) }
