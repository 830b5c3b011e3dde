import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { BreakerControl, controlledScopes, OverrideRefusedError } from '../../../src/client/breaker-control';

const KILL = { action: 'kill', reason: 'flood', actor: 'ann' } as const;

function control(workflow: Partial<Record<keyof Client['workflow'], unknown>>): BreakerControl {
  const withDeadline = <T>(_at: number, call: () => Promise<T>): Promise<T> => call();
  return new BreakerControl({ workflow, connection: { withDeadline } } as unknown as Client, 'paper');
}
/** A Temporal whose workers answer an update so; `kept` are the signals that were left there. */
function answering(error: Error, { signals = true } = {}): { control: BreakerControl; kept: unknown[] } {
  const kept: unknown[] = [];
  const signalWithStart = (type: string, { workflowId, signal, signalArgs }: Record<string, unknown>) => {
    if (!signals) return Promise.reject(new Error('connection refused'));
    kept.push({ type, workflowId, signal, signalArgs });
    return Promise.resolve();
  };
  return { control: control({ startUpdateWithStart: () => Promise.reject(error), signalWithStart }), kept };
}
const OPEN = { ...KILL, action: 'open', forSeconds: 60 } as const;
const refusal = (type: string, message: string): Error =>
  new WorkflowUpdateFailedError('Workflow Update failed', ApplicationFailure.nonRetryable(message, type));

describe('an order to a breaker by the typed client', () => {
  it('that is wrong in itself never leaves', () => {
    const asked = control({ startUpdateWithStart: () => Promise.reject(new Error('it left')) });
    expect(() => asked.override({ ...KILL, reason: '' })).toThrow(TypeError);
  });

  it.each(['BadOverride', 'INVALID'])('that the workflow refuses (%s) is told by its sentence', async (type) => {
    const { control: asked, kept } = answering(refusal(type, 'scope: no venue "papr"'));
    const refused = asked.override(KILL);
    await expect(refused).rejects.toThrow(OverrideRefusedError);
    await expect(refused).rejects.toThrow(/^scope: no venue "papr"$/);
    expect(kept).toEqual([]);
  });

  it('that is taken and not in effect yet is no refusal, and is not left a second time', async () => {
    const { control: asked, kept } = answering(refusal('NotInEffect', 'taken and kept'));
    await expect(asked.override(KILL)).rejects.toThrow('kill of paper: taken and kept');
    await expect(asked.override(KILL)).rejects.not.toThrow(OverrideRefusedError);
    expect(kept).toEqual([]);
  });

  it.each<[string, Error, string]>([
    [
      'no worker took',
      new Error('deadline exceeded'),
      'was not taken by a worker within 10 s: deadline exceeded. Does a worker run',
    ],
    [
      'a workflow took that ended before it answered',
      refusal('AcceptedUpdateCompletedWorkflow', 'completed'),
      'completed',
    ],
  ])('that is a kill and that %s is left in Temporal, which is said', async (_what, error, sentence) => {
    const { control: asked, kept } = answering(error);
    const answer = await asked.override(KILL).catch((each: Error) => each.message);
    expect(answer).toMatch(
      /^kill of paper is kept in Temporal, but not in force yet: the first worker that starts obeys it before it acts\./,
    );
    expect(answer).toContain(sentence);
    expect(kept).toEqual([
      { type: 'breakerControl', workflowId: 'breaker:paper', signal: 'override', signalArgs: [KILL] },
    ]);
  });

  it('that is a kill and that Temporal does not take at all is said not to be kept', async () => {
    const { control: asked } = answering(new Error('connection refused'), { signals: false });
    await expect(asked.override(KILL)).rejects.toThrow(/^kill of paper is NOT kept, Temporal did not take it/);
  });

  it('that is no kill is not kept for later, when nobody expects it any more', async () => {
    const { control: asked, kept } = answering(new Error('deadline exceeded'));
    await expect(asked.override(OPEN)).rejects.toThrow(
      'open of paper was not taken by a worker within 30 s: deadline exceeded. Does a worker run',
    );
    expect(kept).toEqual([]);
  });

  it('starts the workflow of its scope where there is none', async () => {
    let started: { workflowId?: string; workflowIdConflictPolicy?: string } = {};
    const asked = control({
      startUpdateWithStart: (
        _name: string,
        { startWorkflowOperation }: { startWorkflowOperation: { options: object } },
      ) => {
        started = startWorkflowOperation.options;
        return Promise.resolve({ result: () => Promise.resolve({ standing: 'KILLED' }) });
      },
    });
    expect(await asked.override(KILL)).toEqual({ standing: 'KILLED' });
    expect(started).toMatchObject({ workflowId: 'breaker:paper', workflowIdConflictPolicy: 'USE_EXISTING' });
  });
});

describe('what a breaker says of itself', () => {
  const handled = (status: string | undefined): BreakerControl =>
    control({
      getHandle: () => ({
        query: () =>
          status === undefined
            ? Promise.reject(new WorkflowNotFoundError('not there', 'breaker:paper', undefined))
            : Promise.resolve({ standing: 'KILLED' }),
        describe: () => Promise.resolve({ status: { name: status } }),
      }),
    });

  it('is what its workflow answers while it runs', async () => {
    expect(await handled('RUNNING').state()).toEqual({ standing: 'KILLED' });
  });

  it.each([['TERMINATED'], ['FAILED'], [undefined]])(
    'is nothing where the workflow is %s, though that would answer',
    async (status) => {
      expect(await handled(status).state()).toBeUndefined();
      expect(await handled(status).history()).toBeUndefined();
    },
  );
});

it('workflows that somebody gave a name of their own are no breakers', async () => {
  async function* list() {
    for (const workflowId of ['breaker:paper', 'mine', 'breaker:x/y/z/a', 'breaker:all', 'breaker:paper/account/a'])
      yield { workflowId };
  }
  const scopes: string[] = [];
  for await (const scope of controlledScopes({ workflow: { list } } as unknown as Client)) scopes.push(scope);
  expect(scopes).toEqual(['paper', 'all', 'paper/account/a']);
});
