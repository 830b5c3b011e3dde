import fc from 'fast-check';
import type { Op } from './ops';

// What random histories are made of, as far as records and stores go.

export const small = (max: number) => fc.nat({ max });
/** Mostly the same payload, at times another one, at times one that another version of the fingerprint was made of. */
const print = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: small(2) });
/** Mostly what was given last. */
export const back = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: small(6) });
const attempt = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
);

/** Mostly what lets the record live on: found, rejected and a person's turn end its story. */
const verdict = fc.oneof(
  { weight: 9, arbitrary: fc.constant('absent' as const) },
  { weight: 2, arbitrary: fc.constant('inconclusive' as const) },
  { weight: 3, arbitrary: fc.constantFrom('found' as const, 'rejected' as const, 'repeatable' as const) },
  { weight: 2, arbitrary: fc.constant('manual' as const) },
);

const admit: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('admit' as const),
  intent: small(1),
  owner: small(4),
  attempt,
  nonce: small(1),
  print,
  knownUnsent: fc.boolean(),
});
const settle = (failing: number): fc.Arbitrary<Op> =>
  fc.record({
    op: fc.constant('settle' as const),
    go: back,
    ending: fc.constantFrom('done', 'reject', 'release', 'doubt', 'doubt', 'doubt', 'doubt'),
    health: fc.oneof(
      { weight: failing, arbitrary: fc.constant('fail' as const) },
      { weight: 3, arbitrary: fc.constant('ok' as const) },
      { weight: 1, arbitrary: fc.constant('none' as const) },
    ),
  });
export const guardOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: admit },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('resend' as const), intent: small(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('retry' as const), intent: small(1), knownUnsent: fc.boolean() }),
  },
  { weight: 5, arbitrary: settle(1) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('lookBegin' as const),
      intent: small(1),
      looker: small(1),
      givenUp: fc.integer({ min: -1, max: 1 }),
      print,
      ends: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('lookEnd' as const),
      look: back,
      verdict: verdict,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('resolve' as const),
      intent: small(1),
      decision: fc.constantFrom('done', 'absent', 'absent', 'rejected'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('expire' as const, 'expire' as const, 'lose' as const),
      intent: small(1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('absence' as const), intent: small(1) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('look' as const), intent: small(1), verdict }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('pass' as const), ticks: fc.integer({ min: 1, max: 3 }) }) },
);

/** As above, on a Redis that loses its data and goes back in time. */
export const storeOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 30, arbitrary: guardOp },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Op>(
      { op: 'save' },
      { op: 'save' },
      { op: 'rollBack' },
      { op: 'rollBack' },
      { op: 'flush' },
      { op: 'trust' },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('open' as const), worker: small(1), neverUsed: fc.boolean() }),
  },
);
