import { parseOverrideRequest, type OverrideAction } from '../breaker/control/request';
import { parseScope } from '../breaker/scope';
import { OverrideRefusedError } from '../client/breaker-control';
import { FillsafeClient } from '../client/client';
import type { FillsafeConfig } from '../config/schema';
import { isVenueRefused } from '../domain/lane';
import { EXIT } from './exit-codes';
import { print, printJson } from './output';
import { UsageError } from './usage-error';

export interface OrderOptions {
  reason: string;
  actor: string;
  for?: string;
  ticket?: string;
  json?: boolean;
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90s`, `15m`, `2h`, `1d` in seconds. */
export function secondsOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,8})([smhd])$/.exec(text.trim()) ?? [];
  if (count === undefined) throw new UsageError(`--for: "${text}" must be a whole number with s, m, h or d, like 15m`);
  return Number(count) * UNITS[unit]!;
}

/** Orders through the control workflow and says what holds from now on. */
export async function orderBreaker(
  config: FillsafeConfig,
  scope: string,
  action: OverrideAction,
  { reason, actor, ticket, for: span, json }: OrderOptions,
): Promise<void> {
  const request = usage(() => {
    parseScope(scope);
    const forSeconds = span === undefined ? {} : { forSeconds: secondsOf(span) };
    return parseOverrideRequest(scope, { action, reason, actor, ticket, ...forSeconds });
  });
  const client = await FillsafeClient.connect(config);
  try {
    const control = usage(() => client.breaker(scope));
    const snapshot = await control.override(request);
    if (json) return await printJson(snapshot);
    const { standing, meaning, number, note } = snapshot;
    const now = `${scope}: ${standing.toLowerCase().replace('_', ' ')}, order ${number} by ${actor}`;
    await print([now, meaning, note].filter(Boolean).join('\n'));
  } catch (error) {
    if (!(error instanceof OverrideRefusedError)) throw error;
    process.stderr.write(`fillsafe: ${error.message}\n`);
    process.exitCode = EXIT.FAILED;
  } finally {
    await client.close();
  }
}

/** What is wrong with what was typed is bad usage, whoever finds it. */
export function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError || isVenueRefused(error)) throw new UsageError(error.message);
    throw error;
  }
}
