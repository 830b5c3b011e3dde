import { Command } from 'commander';
import { listBreakers, showBreaker } from './breaker-list';
import { breakerHistory } from './breaker-history';
import { orderBreaker, type OrderOptions } from './breaker-order';
import type { OverrideAction } from '../breaker/control/request';
import type { FillsafeConfig } from '../config/schema';
import { commandConfig } from './command-config';
import { whoami } from './whoami';

const CONFIG = [
  '--config <file>',
  'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev',
] as const;
const SCOPE = 'all, <venue>, <venue>/<jobType> or <venue>/account/<account>';

const ORDERS: Record<OverrideAction, string> = {
  open: 'holds what adds risk, for a time; then the venue is tried',
  close: 'lets jobs pass whatever the automatic breaker says, for a time; kills and what the venue holds go on',
  auto: 'ends a forced open or closed before its time',
  kill: 'stops everything that adds risk, until unkill; answers when nothing leaves any more. Cancels pass',
  unkill: 'lifts a kill; what was forced beneath it goes on until its time is over',
};

export function breakerCommand(): Command {
  const command = new Command('breaker').description('the breakers of the fleet: how they stand, and orders to them');
  command
    .command('list')
    .description('every breaker: state, since when, why, what happens next, who ordered what')
    .option('--json', 'one line of JSON a breaker')
    .option(...CONFIG)
    .action(withConfig(listBreakers));
  command
    .command('show')
    .description('one breaker, with what happened to it')
    .argument('<scope>', SCOPE)
    .option('--json', 'one line of JSON')
    .option(...CONFIG)
    .action((scope: string, options: CommonOptions) =>
      withConfig((config, o) => showBreaker(config, scope, o))(options),
    );
  for (const [action, what] of Object.entries(ORDERS)) {
    const order = command.command(action).description(what).argument('<scope>', SCOPE);
    order.requiredOption('--reason <text>', 'why, for the audit');
    if (action === 'open' || action === 'close')
      order.requiredOption('--for <time>', 'how long: 90s, 15m, 2h, 1d; at most 30d');
    order
      .option('--actor <name>', 'who orders it', whoami())
      .option('--ticket <id>', 'where to read more, for the audit')
      .option('--json', 'one line of JSON')
      .option(...CONFIG)
      .action((scope: string, options: OrderOptions & CommonOptions) =>
        withConfig((config) => orderBreaker(config, scope, action as OverrideAction, options))(options),
      );
  }
  command
    .command('history')
    .description('the audit of what people ordered of a scope; exit 1 where --verify finds a row that does not fit')
    .argument('<scope>', SCOPE)
    .option('--verify', 'checks that no row was changed, taken out or put in')
    .option('--json', 'one line of JSON')
    .option(...CONFIG)
    .action((scope: string, options: CommonOptions & { verify?: boolean }) =>
      withConfig((config) => breakerHistory(config, scope, options))(options),
    );
  return command;
}

interface CommonOptions {
  json?: boolean;
  config?: string;
}

function withConfig(act: (config: FillsafeConfig, options: CommonOptions) => Promise<void>) {
  return (options: CommonOptions): Promise<void> =>
    act(commandConfig({ ...options, quiet: options.json === true }).config, options);
}
