/** A job names a venue that this configuration does not let it reach. */
export class VenueRefusedError extends Error {
  override readonly name = 'VenueRefusedError';
  readonly isVenueRefused = true;

  constructor(
    /** `LANE`: the venue belongs to the other lane. `INVALID`: there is no such venue. */
    readonly category: 'LANE' | 'INVALID',
    message: string,
  ) {
    super(message);
  }
}

export function isVenueRefused(error: unknown): error is VenueRefusedError {
  return typeof error === 'object' && error !== null && 'isVenueRefused' in error;
}

/** Throws a `VenueRefusedError`, naming `field`, unless `venue` is configured and of the lane that jobs here may reach. */
export function checkVenue(
  config: { lane: string; venues: Readonly<Record<string, { lane?: string | undefined }>> },
  venue: string,
  field = 'venue',
): void {
  const known = Object.hasOwn(config.venues, venue) ? config.venues[venue] : undefined;
  if (!known) {
    const names = Object.keys(config.venues).join(', ') || 'none (start `fillsafe dev`, or give a configuration)';
    throw new VenueRefusedError('INVALID', `${field}: "${venue}" is not configured; configured are: ${names}`);
  }
  const lane = known.lane ?? config.lane;
  if (lane !== config.lane) {
    throw new VenueRefusedError(
      'LANE',
      `${field}: "${venue}" is a ${lane} venue and this configuration is of the ${config.lane} lane; set lane: ${lane} to reach it`,
    );
  }
}
