import { performance } from 'node:perf_hooks';
import { Client, Connection } from '@temporalio/client';
import { FillsafeClient } from '../src/client/client';
import { loadConfig } from '../src/config/load';
import type { Report } from './report';
import { benchOrder, withServices } from './services';
import { median, quantile, range, rounded } from './stats';
import { startBenchWorker, type Side, type WorkerHandle } from './worker-handle';

const ROUNDS = 5;
const CALLERS = 20;
/** Of one side and round: with all callers at once, and with jobs one after the other. Bounded by time, as machines differ. */
const LOAD_MS = 4_000;
const SINGLE_MS = 2_500;
const WARM_UP_MS = 1_500;

interface Round {
  jobsPerSecond: number;
  cpuMsPerJob: number;
  /** Of jobs one after the other, ms. */
  latencies: number[];
}

/** A bare Temporal job (one workflow, one activity, one signed HTTP order) beside the same order through fillsafe. */
export async function benchTemporal(): Promise<Report> {
  return withServices(async ({ config: configFile, temporal }) => {
    const config = loadConfig({ file: configFile });
    const connection = await Connection.connect({ address: temporal });
    const guarded = await FillsafeClient.connect(config);
    const bare = new Client({ connection }).workflow;
    const workers: Record<Side, WorkerHandle> = {
      bare: await startBenchWorker('bare', configFile),
      guarded: await startBenchWorker('guarded', configFile),
    };
    let jobs = 0;
    const job: Record<Side, () => Promise<unknown>> = {
      bare: () => {
        const intentId = `b${++jobs}`;
        return bare.execute('barePlaceOrder', {
          workflowId: `bare:${intentId}`,
          taskQueue: 'bare',
          args: [benchOrder(intentId)],
        });
      },
      guarded: () => guarded.placeOrder(benchOrder(`g${++jobs}`)),
    };
    try {
      for (const side of ['bare', 'guarded'] as const) await inParallel(WARM_UP_MS, CALLERS, job[side]);
      const rounds: Record<Side, Round[]> = { bare: [], guarded: [] };
      for (let round = 0; round < ROUNDS; round++) {
        // The server slows as workflows pile up: who goes first takes turns.
        const order: Side[] = round % 2 === 0 ? ['bare', 'guarded'] : ['guarded', 'bare'];
        for (const side of order) rounds[side].push(await measure(job[side], workers[side]));
        process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
      }
      return reportOf(rounds);
    } finally {
      await Promise.all(Object.values(workers).map((worker) => worker.stop()));
      await guarded.close();
      await connection.close();
    }
  });
}

async function measure(job: () => Promise<unknown>, worker: WorkerHandle): Promise<Round> {
  const latencies: number[] = [];
  const timed = async (): Promise<void> => {
    const began = performance.now();
    await job();
    latencies.push(performance.now() - began);
  };
  await inParallel(SINGLE_MS, 1, timed);
  const cpuBefore = await worker.cpuMs();
  const { jobs, seconds } = await inParallel(LOAD_MS, CALLERS, job);
  const cpuMsPerJob = ((await worker.cpuMs()) - cpuBefore) / jobs;
  return { jobsPerSecond: jobs / seconds, cpuMsPerJob, latencies };
}

/** Jobs by `callers` that each start the next one when theirs has ended, until `forMs` is over; all are waited for. */
async function inParallel(
  forMs: number,
  callers: number,
  job: () => Promise<unknown>,
): Promise<{ jobs: number; seconds: number }> {
  const began = performance.now();
  let jobs = 0;
  const ended = await Promise.allSettled(
    Array.from({ length: callers }, async () => {
      while (performance.now() - began < forMs) {
        await job();
        jobs++;
      }
    }),
  );
  // Thrown only when nothing is under way any more: the clients are closed next.
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return { jobs, seconds: (performance.now() - began) / 1_000 };
}

function reportOf({ bare, guarded }: Record<Side, Round[]>): Report {
  const perRound = (of: (round: Round) => number): number[] =>
    guarded.map((round, index) => of(round) / of(bare[index]!));
  const pooled = (rounds: Round[]): number[] => rounds.flatMap(({ latencies }) => latencies);
  const throughput = perRound(({ jobsPerSecond }) => jobsPerSecond);
  const cpu = perRound(({ cpuMsPerJob }) => cpuMsPerJob);
  const p99 = (rounds: Round[]): number => quantile(pooled(rounds), 0.99);
  const ratios = {
    throughputRatio: throughput,
    p50Ratio: perRound(({ latencies }) => median(latencies)),
    p99Ratio: perRound(({ latencies }) => quantile(latencies, 0.99)),
    workerCpuRatio: cpu,
  };
  return {
    result: {
      throughputRatio: rounded(median(ratios.throughputRatio)),
      p50Ratio: rounded(median(ratios.p50Ratio)),
      p99Ratio: rounded(p99(guarded) / p99(bare)),
      workerCpuRatio: rounded(median(ratios.workerCpuRatio)),
    },
    ranges: Object.fromEntries(Object.entries(ratios).map(([name, values]) => [name, range(values)])),
    goals: {
      throughputRatio: { atLeast: 0.6 },
      p50Ratio: { atMost: 1.6 },
      p99Ratio: { atMost: 2 },
      workerCpuRatio: { atMost: 2 },
    },
    method: [
      'guarded (placeOrder by the typed client) ÷ bare (a workflow with one activity), both on the embedded Temporal with its',
      'file, the paper venue and the same signed HTTP order; one worker process a side, four task queues each.',
      `${ROUNDS} rounds, sides take turns; ${LOAD_MS} ms of ${CALLERS} callers for throughput and CPU, ${SINGLE_MS} ms of jobs one after the`,
      'other for latency. Medians of the rounds; p99 over all rounds, as one round holds too few jobs for it.',
    ],
    seen: {
      'bare jobs/s': rounded(median(bare.map(({ jobsPerSecond }) => jobsPerSecond))),
      'guarded jobs/s': rounded(median(guarded.map(({ jobsPerSecond }) => jobsPerSecond))),
      'bare p50 ms': rounded(median(pooled(bare))),
      'guarded p50 ms': rounded(median(pooled(guarded))),
      'bare p99 ms': rounded(p99(bare)),
      'guarded p99 ms': rounded(p99(guarded)),
      'bare worker CPU ms/job': rounded(median(bare.map(({ cpuMsPerJob }) => cpuMsPerJob))),
      'guarded worker CPU ms/job': rounded(median(guarded.map(({ cpuMsPerJob }) => cpuMsPerJob))),
    },
  };
}
