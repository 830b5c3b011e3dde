import { oneLine } from '../src/domain/one-line';
import type { Look, Sighting } from '../src/guard/effect';
import { serialiseResult } from '../src/guard/serialise';
import { isLateToSend } from '../src/guard/ticket';
import { isVenueError } from '../src/venues/port';
import type { EffectDefinition } from './define-effect';
import { REFUSAL_CATEGORIES } from './own-outcomes';

/** One look by a `lookup` that people wrote: what it throws, or answers in no known form, proves nothing. */
export async function ownLook(definition: EffectDefinition, input: unknown, look: Look): Promise<Sighting<object>> {
  let seen: unknown;
  try {
    seen = await definition.lookup?.(input, look);
  } catch (error) {
    if (isLateToSend(error) || isVenueError(error)) throw error;
    return inconclusive(`the look-up failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  return sightingOf(seen);
}

function sightingOf(seen: unknown): Sighting<object> {
  const { kind, result, evidence, refusal, waitMs } = (seen ?? {}) as Record<string, unknown>;
  const why = typeof evidence === 'string' ? oneLine(evidence) : 'the look-up gave no evidence';
  switch (kind) {
    case 'found':
      return found(result);
    case 'refused':
      return isRefusal(refusal)
        ? { kind, refusal: { category: refusal.category, message: oneLine(refusal.message) } }
        : inconclusive(
            `the look-up said "refused" without a refusal {category: ${REFUSAL_CATEGORIES.join(' | ')}, message}`,
          );
    case 'inconclusive':
      return { ...inconclusive(why), waitMs: typeof waitMs === 'number' && waitMs > 0 ? waitMs : undefined };
    case 'absent':
    case 'repeatable':
    case 'contradiction':
      return { kind, evidence: why };
    default:
      return inconclusive(
        `the look-up answered ${JSON.stringify(seen)?.slice(0, 80)}, whose kind is none of ` +
          'found, absent, repeatable, inconclusive, refused, contradiction',
      );
  }
}

function found(result: unknown): Sighting<object> {
  try {
    if (!isObject(result)) throw new TypeError('result is no object');
    serialiseResult(result);
    return { kind: 'found', result };
  } catch (error) {
    return inconclusive(`the look-up found it, but not what it came to: ${(error as Error).message}`);
  }
}

function isRefusal(value: unknown): value is { category: string; message: string } {
  const { category, message } = (value ?? {}) as Record<string, unknown>;
  return (REFUSAL_CATEGORIES as readonly unknown[]).includes(category) && typeof message === 'string';
}

function inconclusive(evidence: string): Sighting<object> & { kind: 'inconclusive' } {
  return { kind: 'inconclusive', evidence: oneLine(evidence) };
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
