import { Command } from 'commander';
import { problemsOf, proofTable } from '../demo/report';
import { runDemo } from '../demo/run-demo';
import { addresses, stopSignal } from './dev';
import { EXIT } from './exit-codes';

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'lives a trading day with faults on a stack of its own, proves that nothing happened twice, and stays up',
    )
    .option('--exit', 'end when the proof is printed')
    .option('--json', 'print the proof as one line of JSON, last')
    .action(async (options: { exit?: boolean; json?: boolean }) => {
      const started = performance.now();
      const say = (line: string): void => {
        const at = ((performance.now() - started) / 1_000).toFixed(1).padStart(6);
        process.stderr.write(`${at}s ${line}\n`);
      };
      const demo = await runDemo(say);
      const problems = problemsOf(demo.report, demo.expected);
      const table = `\n${proofTable(demo.report, demo.seconds)}\n\n${addresses(demo.stack.info)}\n`;
      (options.json ? process.stderr : process.stdout).write(table);
      for (const problem of problems) process.stderr.write(`  off: ${problem}\n`);
      if (problems.length > 0) process.exitCode = EXIT.FAILED;
      if (options.json) process.stdout.write(`${JSON.stringify(demo.report)}\n`);
      if (!options.exit) {
        process.stderr.write(
          '\nLook around; place an order of your own with `npx fillsafe submit order.place --help`. Ctrl-C ends it.\n',
        );
        await stopSignal();
      }
      await demo.end({ keepData: problems.length > 0 });
    });
}
