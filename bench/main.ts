import { Argument, Command } from 'commander';
import { benchBreaker } from './breaker';
import { benchGuard } from './guard';
import { asText, missed, type Report } from './report';
import { benchTemporal } from './temporal';

const BENCHES = { temporal: benchTemporal, guard: benchGuard, breaker: benchBreaker } satisfies Record<
  string,
  () => Promise<Report>
>;

async function main(): Promise<void> {
  const program = new Command('bench')
    .description('measures fillsafe against the same work without it, on real services started for the purpose')
    .addArgument(new Argument('<name>', 'what to measure').choices(Object.keys(BENCHES)))
    .option('--json', 'print one line of JSON')
    .option('--check', 'exit 1 if a goal of bench/README.md is missed')
    .parse();
  const { json, check } = program.opts<{ json?: boolean; check?: boolean }>();
  const report = await BENCHES[program.args[0] as keyof typeof BENCHES]();
  const misses = missed(report);
  const { result, ...rest } = report;
  process.stdout.write(`${json ? JSON.stringify({ ...result, ...rest, missed: misses }) : asText(report)}\n`);
  for (const miss of misses) process.stderr.write(`missed: ${miss}\n`);
  if (check && misses.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
