/** What happens to an order that fills at once and is surely absent: `on_absent` of the configuration. */
export const POLICIES = ['fail', 'resend', 'manual'] as const;
export type Policy = (typeof POLICIES)[number];

/** One way of a job through guard and venue, and every point where it can be cut. */
export interface Journey {
  /** What is done: an order that fills at once, one that rests, or the cancel of one that rests. */
  act: 'MARKET' | 'LIMIT' | 'cancel';
  /** What becomes of the first request: answered; done, but the answer is lost; or it never reaches the venue. */
  fate: 'answered' | 'answer lost' | 'never arrived' | 'found by a person';
  /** `any` where the act goes the same way under each. */
  policy: Policy | 'any';
  /** What a person decides, where one is asked. */
  decision: 'absent' | 'rejected' | 'done';
  /** All points of an undisturbed run; the first job of a worker asks the venue for its time before them. */
  points: string[];
}

export function nameOf({ act, fate, policy, decision }: Journey): string {
  const under = policy === 'any' ? '' : `, on_absent: ${policy}`;
  return `${act}, ${fate}${under}${decision === 'rejected' ? ', refused by a person' : ''}`;
}

const sides = (stage: string, ...crossings: string[]): string[] =>
  crossings.flatMap((crossing) => [`${stage}: before ${crossing}`, `${stage}: after ${crossing}`]);
const look = (stage: string, ...crossings: string[]): string[] => [
  'look: before look-begin',
  `${stage}: after look-begin`,
  ...sides(stage, ...crossings, 'look-end'),
];
const NOT_FOUND = ['GET order', 'GET allOrders', 'GET myTrades'];

const PLACE = sides('act', 'admit', 'POST order', 'settle');
const PLACE_AGAIN = sides('act again', 'admit', 'POST order', 'settle');
const CANCEL = sides('act', 'admit', 'DELETE order', 'GET order', 'settle');
const CANCEL_LOST = sides('act', 'admit', 'DELETE order', 'settle');
const CANCEL_AGAIN = sides('act again', 'admit', 'DELETE order', 'GET order', 'settle');
const FIRST_ABSENT = look('look', ...NOT_FOUND);
const ABSENT_TWICE = [...FIRST_ABSENT, ...look('second look', ...NOT_FOUND)];
/** A person's decision is compared with what the venue shows. */
const decision = (...shown: string[]): string[] => sides('resolve', 'redis get', 'redis time', ...shown, 'resolve');
const AFTER_ABSENCE: Record<Policy, string[]> = {
  fail: [],
  resend: PLACE_AGAIN,
  manual: decision(...NOT_FOUND),
};

const rests = { policy: 'any', decision: 'absent' } as const;

export const JOURNEYS: Journey[] = [
  ...POLICIES.flatMap((policy): Journey[] => [
    { act: 'MARKET', fate: 'answered', policy, decision: 'absent', points: PLACE },
    {
      act: 'MARKET',
      fate: 'answer lost',
      policy,
      decision: 'absent',
      points: [...PLACE, ...look('look', 'GET order', 'GET myTrades')],
    },
    {
      act: 'MARKET',
      fate: 'never arrived',
      policy,
      decision: 'absent',
      points: [...PLACE, ...ABSENT_TWICE, ...AFTER_ABSENCE[policy]],
    },
  ]),
  {
    act: 'MARKET',
    fate: 'never arrived',
    policy: 'manual',
    decision: 'rejected',
    points: [...PLACE, ...ABSENT_TWICE, ...decision(...NOT_FOUND)],
  },
  {
    act: 'MARKET',
    fate: 'found by a person',
    policy: 'manual',
    decision: 'done',
    points: [...PLACE, ...look('look', 'GET order', 'GET myTrades'), ...decision('GET order', 'GET myTrades')],
  },
  { act: 'LIMIT', fate: 'answered', ...rests, points: PLACE },
  { act: 'LIMIT', fate: 'answer lost', ...rests, points: [...PLACE, ...look('look', 'GET order')] },
  {
    act: 'LIMIT',
    fate: 'never arrived',
    ...rests,
    points: [...PLACE, ...ABSENT_TWICE, ...sides('second look', 'DELETE order'), ...PLACE_AGAIN],
  },
  { act: 'cancel', fate: 'answered', ...rests, points: CANCEL },
  { act: 'cancel', fate: 'answer lost', ...rests, points: [...CANCEL_LOST, ...look('look', 'GET order')] },
  {
    act: 'cancel',
    fate: 'never arrived',
    ...rests,
    points: [...CANCEL_LOST, ...look('look', 'GET order'), ...CANCEL_AGAIN],
  },
];

/** Every cut that differs from those of the same act with another fate: that begins to matter when the request has left. */
export function cutsOf({ act, fate, points }: Journey): string[] {
  if (fate === 'answered') return [...points];
  const cuts = [...new Set(points)].slice(points.indexOf(`act: after ${act === 'cancel' ? 'DELETE' : 'POST'} order`));
  const first = cuts.some((point) => point.startsWith('second look')) ? FIRST_ABSENT.slice(1) : [];
  return [...cuts, ...first.map((point) => point.replace('look', 'first look'))];
}
