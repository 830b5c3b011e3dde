import { Command } from 'commander';
import { loadConfig } from '../config/load';
import type { FillsafeConfig } from '../config/schema';
import { commandConfig } from './command-config';
import { checkRedisService } from './doctor-redis';
import { checkStores } from './doctor-stores';
import { checkTemporal } from './doctor-temporal';
import { checkVenues } from './doctor-venues';
import { EXIT } from './exit-codes';
import { count, errorText, print, printJson } from './output';
import { table } from './table';

/** One thing that was checked. `what` names it, `found` says how it is, `todo` what to do about it. */
export interface Finding {
  state: 'ok' | 'warn' | 'fail';
  what: string;
  found: string;
  todo?: string;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('checks everything that fillsafe relies on and says what to do; exit 1 if anything fails')
    .option('--fix', "register fillsafe's search attributes where they are missing")
    .option('--json', 'one line of JSON')
    .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
    .action(async (options: { fix?: boolean; json?: boolean; config?: string }) => {
      const findings = await examine(options);
      const failed = findings.filter(({ state }) => state === 'fail').length;
      const warned = findings.filter(({ state }) => state === 'warn').length;
      if (options.json) await printJson({ ok: failed === 0, findings });
      else {
        const rows = findings.map(({ state, what, found, todo }) => [state, what, todo ? `${found}; ${todo}` : found]);
        await print(table(['', 'check', 'found'], rows));
        await print(`\n${count(findings.length, 'check')}: ${failed} failed, ${count(warned, 'warning')}`);
      }
      process.exitCode = failed > 0 ? EXIT.FAILED : EXIT.DONE;
    });
}

async function examine(options: { fix?: boolean; config?: string }): Promise<Finding[]> {
  let config: FillsafeConfig;
  try {
    ({ config } = commandConfig({ ...options, quiet: true }));
  } catch (error) {
    const todo = 'correct it; `fillsafe config check` names each setting. The other checks used the defaults';
    const broken: Finding = { state: 'fail', what: 'configuration', found: errorText(error), todo };
    return [broken, ...(await examineServices(loadConfig({ file: undefined, env: {} }), options))];
  }
  const { lane, mode } = config;
  const found = `lane ${lane}, mode ${mode}, venues ${Object.keys(config.venues).join(', ') || 'none'}`;
  const good: Finding = { state: 'ok', what: 'configuration', found };
  return [good, ...(await examineServices(config, options))];
}

async function examineServices(config: FillsafeConfig, { fix = false }: { fix?: boolean }): Promise<Finding[]> {
  const parts = await Promise.all([
    checkRedisService(config),
    checkStores(config),
    checkTemporal(config, { fix }),
    checkVenues(config),
  ]);
  return parts.flat();
}
