import type { Kind } from '../../model/histories';
import type { Bug } from './plant';

const LUA = 'src/breaker/lua';

/** Mistakes in what the scripts make of outcomes and time. */
export const BREAKER_BUGS: (Bug & { by: Kind })[] = (
  [
    {
      name: 'every process counts for itself',
      file: `${LUA}/window.lua`,
      find: '  at = tonumber(at)\n',
      replace: '  at = tonumber(at)\n  if at and tonumber(active) ~= 2 ^ worker then at = nil end\n',
    },
    {
      name: 'every probe passes',
      file: `${LUA}/judge.lua`,
      find: "if live < settings.permits then return 'take' end",
      replace: "if true then return 'take' end",
    },
    {
      name: 'a probe that ends after the ramp began counts in it',
      file: 'src/guard/lua/settle.lua',
      find: 'level.breaker.turnedAt = math.max(level.breaker.turnedAt, micros)',
      replace: '',
    },
    {
      name: 'after the probes one worker passes for the whole fleet',
      file: `${LUA}/outcome.lua`,
      find: '    forgetCalls(breaker)\n',
      replace: "    breaker.ring, breaker.atWork = '', 0\n",
    },
    {
      name: 'a breaker that closes forgets what the venue told meanwhile',
      file: `${LUA}/ramp.lua`,
      find: 'if breaker.holdUntil <= now then breaker.holdUntil = 0 end',
      replace: 'breaker.holdUntil = 0',
    },
    {
      name: 'a probe takes no permit',
      file: `${LUA}/judge.lua`,
      find: "breaker.permits = breaker.permits == '' and permit or breaker.permits .. ',' .. permit",
      replace: '',
    },
    {
      name: 'a dead prober keeps its place',
      file: `${LUA}/half-open.lua`,
      find: "if tonumber(till) > now then live[#live + 1] = holder .. ':' .. till else dead = dead + 1 end",
      replace: "live[#live + 1] = holder .. ':' .. till",
    },
    {
      name: 'a probe that said nothing keeps its place',
      file: `${LUA}/outcome.lua`,
      find: "  breaker.permits = table.concat(kept, ',')\n  if outcome == 'none' then return true, false end",
      replace: "  if outcome == 'none' then return true, false end\n  breaker.permits = table.concat(kept, ',')",
    },
    {
      name: 'a dead prober counts for nothing',
      file: `${LUA}/half-open.lua`,
      find: 'if dead > 0 then probesFailed(breaker, settings, now, micros, dead) end',
      replace: '',
    },
    {
      name: 'failed probes are borne for ever',
      file: `${LUA}/half-open.lua`,
      find: 'breaker.failures = breaker.failures + count',
      replace: 'breaker.failures = count',
    },
    {
      name: 'failures of long ago still trip the breaker',
      file: `${LUA}/window.lua`,
      find: "if slot - tonumber(string.match(old, '^%d+')) < SLOTS then",
      replace: 'if true then',
    },
    {
      name: 'an act that took no permit is taken for a probe',
      file: `${LUA}/outcome.lua`,
      find: 'if not held then return dead > 0, false end',
      replace: '',
    },
    {
      name: 'an outcome from before the last turn is counted',
      file: `${LUA}/outcome.lua`,
      find: "local heard, lone = outcome ~= 'none' and fence >= breaker.turnedAt, false",
      replace: "local heard, lone = outcome ~= 'none', false",
    },
    {
      name: 'one worker that fails alone holds the whole fleet',
      file: `${LUA}/outcome.lua`,
      find: 'if workersIn(sums.failing) < quorumOf(breaker, settings, sums) then return true end',
      replace: '',
    },
    {
      name: "one worker's own failures hold the whole fleet",
      file: `${LUA}/breaker.lua`,
      find: 'return workersIn(sums.owning) >= quorumOf(breaker, settings, sums)',
      replace: 'return sums.owns > 0',
    },
    {
      name: 'own failures never count, however many workers have them',
      file: `${LUA}/breaker.lua`,
      find: 'return workersIn(sums.owning) >= quorumOf(breaker, settings, sums)',
      replace: 'return false',
    },
    {
      name: 'after a trip one worker passes for the whole fleet',
      file: `${LUA}/breaker.lua`,
      find: "breaker.atWork, breaker.ring = union(breaker.atWork, sumCalls(breaker.ring).active), ''",
      replace: "breaker.ring = ''",
    },
    {
      name: 'all that were refused come back at once',
      file: `${LUA}/judge.lua`,
      find: 'return math.floor(breaker.waiting * 1000 / perSecond)',
      replace: 'return 0',
    },
    {
      name: 'the ramp lets every intent pass',
      file: `${LUA}/ramp.lua`,
      find: 'if bucket >= SHARES[stage] then',
      replace: 'if false then',
    },
    {
      name: 'the ramp lets a herd through',
      file: `${LUA}/ramp.lua`,
      find: 'if breaker.second == second and breaker.passes >= rampPace(breaker, settings, now) then',
      replace: 'if false then',
    },
    {
      name: 'the ramp closes while acts still wait',
      file: `${LUA}/ramp.lua`,
      find: 'return now >= (math.max(begun, breaker.fullSecond + 1) + 1) * 1000',
      replace: 'return now >= (begun + 1) * 1000',
    },
    {
      name: 'the ramp never lets more through than its pace',
      file: `${LUA}/ramp.lua`,
      find: ' * 2 ^ math.min(further, 20)',
      replace: '',
    },
    {
      name: 'an open time never grows',
      file: `${LUA}/breaker.lua`,
      find: '  breaker.openings = breaker.openings + 1\n',
      replace: '',
    },
    {
      name: 'an open time never shrinks again',
      file: `${LUA}/breaker.lua`,
      find: "if breaker.state == 'CLOSED' then",
      replace: 'if false then',
    },
    {
      name: 'two workers try the read at once',
      file: `${LUA}/judge.lua`,
      find: "if now < breaker.probeUntil then return 'wait', now + PROBING_WAIT_MS end",
      replace: '',
    },
  ] satisfies Bug[]
).map((bug) => ({ ...bug, by: 'breaker' }));
