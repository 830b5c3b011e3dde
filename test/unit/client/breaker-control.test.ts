import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { BreakerControl, controlledScopes, OverrideRefusedError } from '../../../src/client/breaker-control';

const KILL = { action: 'kill', reason: 'flood', actor: 'ann' } as const;

function control(workflow: Partial<Record<keyof Client['workflow'], unknown>>): BreakerControl {
  const withDeadline = <T>(_at: number, call: () => Promise<T>): Promise<T> => call();
  return new BreakerControl({ workflow, connection: { withDeadline } } as unknown as Client, 'paper');
}
const answering = (error: Error): BreakerControl => control({ executeUpdateWithStart: () => Promise.reject(error) });
const refusal = (type: string, message: string): Error =>
  new WorkflowUpdateFailedError('Workflow Update failed', ApplicationFailure.nonRetryable(message, type));

describe('an order to a breaker by the typed client', () => {
  it('that is wrong in itself never leaves', () => {
    const asked = control({ executeUpdateWithStart: () => Promise.reject(new Error('it left')) });
    expect(() => asked.override({ ...KILL, reason: '' })).toThrow(TypeError);
  });

  it.each(['BadOverride', 'INVALID'])('that the workflow refuses (%s) is told by its sentence', async (type) => {
    const refused = answering(refusal(type, 'scope: no venue "papr"')).override(KILL);
    await expect(refused).rejects.toThrow(OverrideRefusedError);
    await expect(refused).rejects.toThrow(/^scope: no venue "papr"$/);
  });

  it.each([
    ['that is taken and not in effect yet', refusal('NotInEffect', 'taken and kept'), 'kill of paper: taken and kept'],
    [
      'whose workflow ended before it answered',
      refusal('AcceptedUpdateCompletedWorkflow', 'completed'),
      'kill of paper: completed',
    ],
    [
      'that no worker took',
      new Error('deadline exceeded'),
      'kill of paper was not confirmed within 30 s: deadline exceeded. Does a worker run',
    ],
  ])('%s is no refusal', async (_what, error, sentence) => {
    const answer = answering(error).override(KILL);
    await expect(answer).rejects.not.toThrow(OverrideRefusedError);
    await expect(answer).rejects.toThrow(sentence);
  });

  it('starts the workflow of its scope where there is none', async () => {
    let started: { workflowId?: string; workflowIdConflictPolicy?: string } = {};
    const asked = control({
      executeUpdateWithStart: (
        _name: string,
        { startWorkflowOperation }: { startWorkflowOperation: { options: object } },
      ) => {
        started = startWorkflowOperation.options;
        return Promise.resolve({ standing: 'KILLED' });
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
