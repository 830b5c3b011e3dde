import type { Kind } from '../../model/histories';
import type { Bug } from './plant';

const LUA = 'src/breaker/lua';

/** Mistakes in what the scripts make of people's orders, and of what the venue says. */
export const ORDER_BUGS: (Bug & { by: Kind })[] = (
  [
    {
      name: 'a kill of everything is not looked for',
      file: `${LUA}/judge.lua`,
      find: "if isKilled(levels.override) then return levels[1], 'all', now + KILL_WAIT_MS, killedBy(levels.override) end",
      replace: '',
    },
    {
      name: 'a trip makes a kill be forgotten',
      file: `${LUA}/judge.lua`,
      find: 'if isKilled(level.override) then return',
      replace: "if isKilled(level.override) and level.breaker.state == 'CLOSED' then return",
    },
    {
      name: 'a trip makes what was forced closed be forgotten',
      file: `${LUA}/judge.lua`,
      find: "or isForced(level.override, 'closed', now)\n",
      replace: "or breaker.state ~= 'OPEN' and isForced(level.override, 'closed', now)\n",
    },
    {
      name: 'a kill lives no longer than a force',
      file: 'src/guard/lua/override.lua',
      find: "unpack(ARGV, 5, 12) }, '\\n'))",
      replace: "unpack(ARGV, 5, 12) }, '\\n'), 'PX', math.max(forMs, 1000000000))",
    },
    {
      name: 'a force lifts a kill',
      file: 'src/guard/lua/override.lua',
      find: "table.concat({ '1', text(number), kill, force,",
      replace: "table.concat({ '1', text(number), force == '' and kill or '', force,",
    },
    {
      name: 'what people forced has no end',
      file: `${LUA}/orders.lua`,
      find: 'override.force == force and override.untilMs > now',
      replace: 'override.force == force',
    },
    {
      name: 'a forced open ends in closed',
      file: 'src/guard/lua/override.lua',
      find: "if force == 'open' and not isHeld and not isAll then",
      replace: 'if false then',
    },
    {
      name: 'a forced open that is lifted goes on to its end',
      file: 'src/guard/lua/override.lua',
      find: "breaker.openUntil = force == 'open' and untilMs or now",
      replace: 'breaker.openUntil = math.max(breaker.openUntil, untilMs)',
    },
    {
      name: 'an older order undoes a later one',
      file: 'src/guard/lua/override.lua',
      find: "if known > number then return { 'STALE', text(known) } end",
      replace: '',
    },
    {
      name: 'an order that is told again is written down again',
      file: 'src/guard/lua/override.lua',
      find: 'if tonumber(ARGV[i]) > known then redis.call',
      replace: 'if tonumber(ARGV[i]) > 0 then redis.call',
    },
    {
      name: 'an order leaves no row in the audit',
      file: 'src/guard/lua/override.lua',
      find: "redis.call('XADD', KEYS[2], '*', 'what', 'override', 'number', ARGV[i], 'row', ARGV[i + 1])",
      replace: 'local _ = nil',
    },
    {
      name: 'what lowers risk is held by an open breaker',
      file: `${LUA}/judge.lua`,
      find: "if not act.held then return 'pass', nil, nil, nil, wouldBlock end",
      replace: '',
    },
    {
      name: 'what lowers risk is held by a kill',
      file: `${LUA}/judge.lua`,
      find: '  if held then\n    if isKilled',
      replace: '  if true then\n    if isKilled',
    },
    {
      name: 'what the venue told to hold is let through',
      file: `${LUA}/judge.lua`,
      find: "if hold and settingsOf(hold).mode == 'enforce' then",
      replace: 'if false then',
    },
    {
      name: 'what people forced closed passes what the venue said',
      file: `${LUA}/judge.lua`,
      find: "if hold and settingsOf(hold).mode == 'enforce' then",
      replace: "if hold and settingsOf(hold).mode == 'enforce' and not isForced(hold.override, 'closed', now) then",
    },
    {
      name: 'a forced closed holds all the same',
      file: `${LUA}/judge.lua`,
      find: "local watched = settings.mode ~= 'enforce' or isForced(level.override, 'closed', now)",
      replace: "local watched = settings.mode ~= 'enforce'",
    },
    {
      name: 'what a kill held comes back as a herd',
      file: 'src/guard/lua/override.lua',
      find: 'if isLifted and breaker.holdUntil <= now then',
      replace: 'if false then',
    },
    {
      name: 'what the venue held comes back as a herd',
      file: `${LUA}/judge.lua`,
      find: "if isHoldOver and breaker.state == 'CLOSED' then",
      replace: 'if false then',
    },
    {
      name: 'after a hold only a share of the intents may come',
      file: `${LUA}/ramp.lua`,
      find: 'breaker.since = now - (#SHARES - 1) * settings.rampMs',
      replace: 'breaker.since = now',
    },
    {
      name: 'observe blocks',
      file: `${LUA}/judge.lua`,
      find: "local watched = settings.mode ~= 'enforce' or isForced(level.override, 'closed', now)",
      replace: "local watched = isForced(level.override, 'closed', now)",
    },
  ] satisfies Bug[]
).map((bug) => ({ ...bug, by: 'orders' }));
