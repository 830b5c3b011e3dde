import { InconclusiveLookError, lookAt } from '../../../activities/look-at';
import { reportOf } from '../../../src/breaker/report';
import type { Sighting } from '../../../src/guard/effect';
import { LateToSendError } from '../../../src/guard/ticket';
import { venueSays } from '../../support/effect-harness';

const fails = (error: unknown) => () => Promise.reject(error as Error);

describe('what a look says of the health of its venue', () => {
  it.each<[Sighting<object>, 'ok' | 'none']>([
    [{ kind: 'found', result: {} }, 'ok'],
    [{ kind: 'absent', evidence: 'no such order' }, 'ok'],
    [{ kind: 'repeatable', evidence: 'not applied' }, 'ok'],
    [{ kind: 'refused', refusal: { category: 'INVALID', message: 'no' } }, 'ok'],
    [{ kind: 'contradiction', evidence: 'two answers' }, 'ok'],
    [{ kind: 'inconclusive', evidence: 'answers do not fit yet' }, 'none'],
  ])('that showed %j is %s', async (sighting, health) => {
    expect(await lookAt(() => Promise.resolve(sighting))).toEqual({ sighting, health });
  });

  it.each([new InconclusiveLookError('too new'), new LateToSendError('late')])(
    'that came to nothing by itself is none: %p',
    async (error) => {
      expect(await lookAt(fails(error))).toMatchObject({ sighting: { kind: 'inconclusive' }, health: 'none' });
    },
  );

  it.each([
    ['a venue that is not well', { httpStatus: 503 }, 'fail', undefined],
    ['a network of its own', { phase: 'before_send', code: 'ECONNREFUSED' }, 'own', undefined],
    ['a ban', { httpStatus: 418, headers: { 'retry-after': '30' } }, 'fail', { concerns: 'venue', ms: 30_000 }],
    ['a limit', { httpStatus: 429, headers: { 'retry-after': '7' } }, 'none', { concerns: 'venue', ms: 7_000 }],
  ] as const)('that met %s is what that failure says', async (_what, failure, health, hold) => {
    const error = venueSays({ operation: 'query', message: 'said so', ...failure });
    const seen = await lookAt(fails(error));
    expect(seen).toMatchObject({
      ...{ sighting: { kind: 'inconclusive', waitMs: hold?.ms }, health },
      ...(hold && { hold }),
    });
    expect({ health: seen.health, ...(seen.hold && { hold: seen.hold }) }).toEqual(reportOf(error.verdict, 'said so'));
  });

  it('that met a mistake of the program throws it: it says nothing of a venue', async () => {
    await expect(lookAt(fails(new TypeError('bug')))).rejects.toThrow('bug');
  });
});
