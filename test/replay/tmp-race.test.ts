import { DefaultLogger, Runtime } from '@temporalio/worker';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { replayHistory } from '../support/histories';
import { tradingDesk } from '../support/trading-desk';
Runtime.install({ logger: new DefaultLogger('ERROR') });
jest.setTimeout(600_000);
const desk = tradingDesk();
test('race', async () => {
  const end = Date.now() + 400_000; let round = 0; let checked = 0;
  const c = (scope: string) => desk.stack.client.breaker(scope);
  const h = (scope: string) => desk.stack.client.temporal.workflow.getHandle(`breaker:${scope}`);
  while (Date.now() < end) {
    const scopes = Array.from({ length: 12 }, (_, i) => `paper/account/race-${round}-${i}`); round++;
    await Promise.all(scopes.map((s) => c(s).restore([])));
    const pid = desk.stack.stack.pid('worker') ?? 0;
    const act = async (scope: string, i: number) => {
      await sleep(Math.random() * 8000);
      const which = Math.floor(Math.random() * 6);
      if (which === 0) return h(scope).signal('override', { action: 'kill', reason: 'r', actor: `s${i}` });
      if (which === 1) return c(scope).restore([]);
      if (which === 2) return c(scope).lost([]);
      if (which === 3) return c(scope).state();
      return c(scope).override({ action: i % 2 ? 'kill' : 'close', reason: 'r', actor: `a${i}`, forSeconds: 2 });
    };
    const all = scopes.flatMap((s) => Array.from({ length: 8 }, (_, i) => act(s, i).catch((e: Error) => console.log(s, e.message.slice(0, 150)))));
    await sleep(2000 + Math.random() * 1000);
    process.kill(pid, 'SIGKILL');
    await Promise.all(all);
    for (const s of scopes) {
      const history = await h(s).fetchHistory();
      checked++;
      try { await replayHistory(history, h(s).workflowId); } catch (e) {
        writeFileSync('/tmp/ctl/bad.json', historyToJSON(history));
        console.log('round', round, history.events?.length, (e as Error).message);
        throw e;
      }
    }
  }
  console.log(round, 'rounds', checked);
});
