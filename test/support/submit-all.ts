import type { FillsafeClient, SubmittedJob } from '../../src/client/client';

/** One client's starts at a time: more at once the server would answer each of them late. */
const AT_A_TIME = 20;

/** Submits many orders, in their order. Resolves when all jobs are started. */
export async function submitAll(client: FillsafeClient, orders: readonly object[]): Promise<SubmittedJob[]> {
  const jobs: SubmittedJob[] = [];
  for (let from = 0; from < orders.length; from += AT_A_TIME) {
    const some = orders.slice(from, from + AT_A_TIME);
    jobs.push(...(await Promise.all(some.map((order) => client.submit('order.place', order)))));
  }
  return jobs;
}
