import { loadConfig } from '../config/load';
import type { FillsafeConfig } from '../config/schema';
import { findStack, type StackInfo } from '../dev/stack-file';

/**
 * The configuration of a command: `--config`, else `FILLSAFE_CONFIG`, else that of the `fillsafe dev` that runs here (said
 * on stderr), else the defaults. The environment and `flags` lie over it in any case.
 */
export function commandConfig(
  options: { config?: string | undefined; quiet?: boolean },
  flags: Record<string, unknown> = {},
): { config: FillsafeConfig; stack: StackInfo | undefined } {
  const given = options.config ?? process.env['FILLSAFE_CONFIG'];
  const stack = given === undefined ? findStack() : undefined;
  if (stack && !options.quiet)
    process.stderr.write(`using the stack of fillsafe dev (pid ${stack.pid}, ${stack.dataDir})\n`);
  return { config: loadConfig({ file: given ?? stack?.config, flags }), stack };
}
