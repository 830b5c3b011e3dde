import fc from 'fast-check';
import type { Op } from './ops';
import { back, small } from './record-ops';

// What random histories are made of, as far as breakers and orders go.

const health = fc.constantFrom('ok' as const, 'ok' as const, 'fail' as const, 'own' as const, 'none' as const);
const worker = fc.constantFrom(0, 0, 0, 1, 30);

const admit: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('admit' as const),
  intent: small(5),
  owner: fc.constant(0),
  attempt: fc.constant(1),
  nonce: fc.constant(0),
  print: fc.constant(0),
  knownUnsent: fc.constant(false),
  canProbe: fc.boolean(),
});
const settle = (holds: ('' | 'venue' | 'order.place')[]): fc.Arbitrary<Op> =>
  fc.record({
    op: fc.constant('settle' as const),
    go: back,
    ending: fc.constant('release' as const),
    health: fc.constantFrom('fail', 'fail', 'fail', 'ok', 'ok', 'ok', 'ok', 'own', 'own', 'none'),
    slow: fc.constantFrom(false, false, false, true),
    worker,
    hold: fc.constantFrom(...holds),
  });
const time: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('pass' as const), ticks: fc.constantFrom(1, 1, 2, 2, 3, 4, 9) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('seconds' as const), seconds: fc.constantFrom(1, 2, 5) }),
  },
);
const storm: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('storm' as const),
  health: fc.constantFrom('fail' as const, 'fail' as const, 'own' as const),
  slow: fc.constantFrom(false, false, true),
  workers: fc.constantFrom(1, 2),
});
const read: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('read' as const),
  health: fc.constantFrom('ok' as const, 'fail' as const, 'own' as const),
  worker,
});
const probes: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('probes' as const),
  first: health,
  second: health,
  slow: fc.constantFrom(false, false, true),
  worker,
});

/** Many fresh intents, each asked for and ended at once or later: what matters here is the breaker. */
export const breakerOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: admit },
  { weight: 8, arbitrary: settle(['', '', '', '', '', '', '', '', '', '', '', 'venue', 'order.place']) },
  { weight: 5, arbitrary: time },
  { weight: 1, arbitrary: fc.oneof(storm, read, probes) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('probed' as const),
      probe: back,
      health: fc.constantFrom('ok', 'fail', 'own'),
      worker,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Op>(
      { op: 'calm' },
      { op: 'relapse' },
      { op: 'late' },
      { op: 'straggler' },
      { op: 'outlast', hold: '' },
      { op: 'outlast', hold: 'venue' },
      { op: 'rush' },
      { op: 'exempt' },
      { op: 'emptied' },
    ),
  },
);

const look: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('look' as const),
  intent: small(5),
  verdict: fc.constantFrom('inconclusive', 'absent', 'absent', 'absent', 'repeatable'),
  told: fc.record({
    health: fc.constantFrom('fail', 'fail', 'fail', 'ok', 'ok', 'ok', 'own', 'none'),
    slow: fc.constantFrom(false, false, false, true),
    worker,
    hold: fc.constantFrom('', '', '', '', '', '', '', 'venue', 'look-up'),
  }),
});

/** Looks of many intents, beside the breakers and orders that hold acts. */
export const lookOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 10, arbitrary: look },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('lookBegin' as const),
      intent: small(5),
      looker: small(1),
      givenUp: fc.constantFrom(-1, -1, 0),
      print: fc.constant(0),
      ends: fc.constant(false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('lookEnd' as const), look: back, verdict: fc.constant('absent') }),
  },
  { weight: 4, arbitrary: time },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('order' as const),
      level: fc.constantFrom('venue' as const, 'order.place' as const, 'look-up' as const, 'look-up' as const),
      kill: fc.constant(false),
      force: fc.constantFrom('', 'open', 'closed'),
      ticks: fc.constantFrom(1.5, 2.5),
      isTold: fc.constant(true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('order' as const),
      level: fc.constantFrom('all' as const, 'venue' as const),
      kill: fc.boolean(),
      force: fc.constant(''),
      ticks: fc.constant(1.5),
      isTold: fc.constant(true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.oneof(
      storm,
      fc.record({
        op: fc.constant('blind' as const),
        health: fc.constantFrom('fail' as const, 'own' as const),
        workers: fc.constantFrom(1, 2),
      }),
      fc.record({ op: fc.constant('overtaken' as const), health }),
    ),
  },
);

const level = fc.constantFrom('all' as const, 'venue' as const, 'order.place' as const);

/** The same, with people and the venue who say what may pass. */
export const orderOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: admit },
  { weight: 3, arbitrary: settle(['', '', '', 'venue', 'order.place']) },
  { weight: 3, arbitrary: time },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('order' as const),
      level,
      kill: fc.constantFrom(false, false, false, true),
      force: fc.constantFrom('', '', 'open', 'closed'),
      ticks: fc.constantFrom(1.5, 2.5),
      isTold: fc.constantFrom(true, true, false),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('retell' as const), level, back, worker: small(1) }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Op>(
      { op: 'exempt' },
      { op: 'banned' },
      { op: 'force', force: 'open' },
      { op: 'force', force: 'closed' },
      { op: 'emptied' },
      { op: 'storm', health: 'fail', slow: false, workers: 1 },
      { op: 'calm' },
    ),
  },
);
