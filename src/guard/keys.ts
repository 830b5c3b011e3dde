/** Names one intent in the store: an act of one job type at one venue. */
export interface IntentRef {
  venue: string;
  jobType: string;
  intentId: string;
}

/**
 * Every Redis key that fillsafe touches: `<namespace>:{<venue>}:…`. The braces put all keys of a venue in one cluster slot,
 * so that one script may see the record, the in-flight set and the breaker together.
 */
export function guardKeys(namespace: string) {
  const at = (venue: string, rest: string): string => `${namespace}:{${venue}}:${rest}`;
  return {
    record: ({ venue, jobType, intentId }: IntentRef) => at(venue, `${jobType}:${intentId}`),
    /** What this venue's part of Redis knows of itself, by which a loss is noticed. */
    store: (venue: string) => at(venue, 'store'),
    /** Sorted set of unresolved intents, scored by quiesceAt. */
    inflight: (venue: string) => at(venue, 'inflight'),
    /** Append-only stream of what people decided. */
    audit: (venue: string) => at(venue, 'audit'),
    /** Automatic state of a level: `venue`, a job type, or `account:<account>`. */
    breaker: (venue: string, level: string) => at(venue, `breaker:${level}`),
    /** What people ordered of a level, or of `all`: a projection of its control workflow. */
    override: (venue: string, level: string) => at(venue, `override:${level}`),
    /** Which worker goes by which number at the breakers of a venue. */
    workers: (venue: string) => at(venue, 'workers'),
  };
}

/** Member of the in-flight set. Job types hold no colon, so the first one separates. */
export function inflightMember({ jobType, intentId }: Omit<IntentRef, 'venue'>): string {
  return `${jobType}:${intentId}`;
}

export function parseInflightMember(member: string): { jobType: string; intentId: string } {
  const colon = member.indexOf(':');
  return { jobType: member.slice(0, colon), intentId: member.slice(colon + 1) };
}
