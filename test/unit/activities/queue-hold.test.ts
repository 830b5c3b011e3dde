import { matchKillsToQueues, type Kill } from '../../../activities/queue-hold';
import { queueLimits, type QueueLimit } from '../../support/queue-limits';

const PAPER = { venue: 'paper', jobType: 'order.place' };
const BINANCE = { venue: 'binance', jobType: 'order.place' };
const QUEUE = 'fillsafe.order.place.paper';
const killed: Kill = { kill: true, killedBy: 'ann', killReason: 'flood' };
const free: Kill = { kill: false, killedBy: '', killReason: '' };
const ours = { requestsPerSecond: 0, reason: 'fillsafe kill: ann: flood' };
const theirs = { requestsPerSecond: 5, reason: 'a slow venue' };

describe("Temporal's limits of queues, beside a kill", () => {
  it('hold each queue that is killed, with who killed it and why, and no other', async () => {
    const limits = new Map<string, QueueLimit>();
    const notes = await matchKillsToQueues(queueLimits(limits), [PAPER, BINANCE], ({ venue }) =>
      Promise.resolve(venue === 'paper' ? killed : free),
    );
    expect(limits).toEqual(new Map([[QUEUE, ours]]));
    expect(notes).toEqual([`Temporal holds ${QUEUE}`]);
  });

  it('are taken away where no kill holds any more', async () => {
    const limits = new Map([[QUEUE, ours]]);
    expect(await matchKillsToQueues(queueLimits(limits), [PAPER], () => Promise.resolve(free))).toEqual([
      `Temporal gives out ${QUEUE} again`,
    ]);
    expect(limits.size).toBe(0);
  });

  it('that are as they should be are left as they are, without a word', async () => {
    const never = (call: string): void => {
      if (call === 'update') throw new Error('nothing was to be changed');
    };
    const match = (limits: Map<string, QueueLimit>, kill: Kill) =>
      matchKillsToQueues(queueLimits(limits, never), [PAPER], () => Promise.resolve(kill));
    expect(await match(new Map([[QUEUE, ours]]), killed)).toEqual([]);
    expect(await match(new Map(), free)).toEqual([]);
    expect(await match(new Map([[QUEUE, theirs]]), free)).toEqual([]);
  });

  it('that a person set stay over a kill, which says so', async () => {
    const limits = new Map([[QUEUE, theirs]]);
    const notes = await matchKillsToQueues(queueLimits(limits), [PAPER], () => Promise.resolve(killed));
    expect(notes).toEqual([`Temporal does not hold ${QUEUE} beside the breaker: somebody set a limit of its own`]);
    expect(limits).toEqual(new Map([[QUEUE, theirs]]));
  });

  it.each(['describe', 'update'] as const)(
    'that a server does not know (%s) are no failure of the kill, which says so',
    async (call) => {
      const older = queueLimits(new Map(), (asked) => {
        if (asked === call) throw new Error('12 UNIMPLEMENTED: unknown method');
      });
      const notes = await matchKillsToQueues(older, [PAPER, BINANCE], () => Promise.resolve(killed));
      expect(notes).toHaveLength(2);
      expect(notes[0]).toBe(`Temporal does not hold ${QUEUE} beside the breaker: 12 UNIMPLEMENTED: unknown method`);
      expect(await matchKillsToQueues(older, [PAPER], () => Promise.resolve(free))).toEqual([]);
    },
  );

  it('stay as they are where it cannot be known what is killed', async () => {
    const limits = new Map([[QUEUE, ours]]);
    const away = matchKillsToQueues(queueLimits(limits), [PAPER], () => Promise.reject(new Error('Redis is away')));
    await expect(away).rejects.toThrow('Redis is away');
    expect(limits.size).toBe(1);
  });
});
