import type { Kind } from '../../model/histories';
import type { Bug } from './plant';

const [BREAKER, GUARD] = ['src/breaker/lua', 'src/guard/lua'];

/** Mistakes in what may hold a look-up, and in what one says of the venue. */
export const LOOK_BUGS: (Bug & { by: Kind })[] = (
  [
    {
      name: 'a kill holds look-ups',
      file: `${BREAKER}/judge.lua`,
      find: 'ordered(levels, now, false)',
      replace: 'ordered(levels, now, true)',
    },
    {
      name: 'the breaker of the venue holds look-ups',
      file: `${BREAKER}/judge.lua`,
      find: 'judgeLevels({ levels[2] }, now, micros, fence, look)',
      replace: 'judgeLevels(levels, now, micros, fence, look)',
    },
    {
      name: 'nothing holds look-ups',
      file: `${BREAKER}/judge.lua`,
      find: 'judgeLevels({ levels[2] }, now, micros, fence, look)',
      replace: "'pass', nil, nil, nil, false",
    },
    {
      name: 'what the venue told is for acts only',
      file: `${BREAKER}/judge.lua`,
      find: '  if speaker then\n    -- Their own',
      replace: '  if false then\n    -- Their own',
    },
    {
      name: 'look-ups come back from a hold of the venue as a herd',
      file: `${BREAKER}/judge.lua`,
      find: "    if name == 'venue' then hold(levels, now, 'look-up', latest - now, why) end\n",
      replace: '',
    },
    {
      name: 'a look is judged by the breaker of acts',
      file: `${GUARD}/look-end.lua`,
      find: 'local lookUps = levels[2]',
      replace: 'local lookUps = levels[1]',
    },
    {
      name: 'a look that was not made counts as one',
      file: `${GUARD}/look-begin.lua`,
      find: "    record.state, record.leaseUntil = 'UNKNOWN', 0\n    saveDoubt",
      replace: "    record.state, record.leaseUntil, record.looks = 'UNKNOWN', 0, record.looks + 1\n    saveDoubt",
    },
    {
      name: 'a look that was not made leaves no trace',
      file: `${GUARD}/look-begin.lua`,
      find: "    record.state, record.leaseUntil = 'UNKNOWN', 0\n    saveDoubt(keyRecord, keyInflight, member, record)\n",
      replace: '',
    },
    {
      name: 'a look takes no place as a probe',
      file: `${GUARD}/look-begin.lua`,
      find: 'saveLevels(levels, KEYS, keyInflight, made)\n',
      replace: '',
    },
    {
      name: 'what the record has moved on from keeps its place as a probe',
      file: `${BREAKER}/outcome.lua`,
      find: " and level.breaker.state ~= 'HALF_OPEN' then",
      replace: ' then',
    },
    {
      name: 'what the record has moved on from counts all the same',
      file: `${BREAKER}/outcome.lua`,
      find: "if not level.isAutomatic or not told.isNews and level.breaker.state ~= 'HALF_OPEN' then return false end",
      replace: 'if not level.isAutomatic then return false end',
    },
  ] satisfies Bug[]
).map((bug) => ({ ...bug, by: 'looks' }));
