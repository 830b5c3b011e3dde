import type { FillsafeConfig } from '../config/schema';
import { venueTimes } from '../policy/job-policy';
import { createBinanceSpot } from './binance/spot';
import type { VenuePort } from './port';

/** Adapters of all configured venues by name. The paper venue speaks Binance's wire format, so it has no adapter of its own. */
export function createVenues(config: FillsafeConfig): Map<string, VenuePort> {
  return new Map(
    Object.entries(config.venues).map(([name, venue]) => {
      const { recvWindowMs, timeoutMs } = venueTimes(config, name);
      const adapter = createBinanceSpot({
        name,
        baseUrl: venue.base_url,
        apiKey: venue.api_key,
        apiSecret: venue.api_secret,
        recvWindowMs,
        timeoutMs,
      });
      return [name, adapter];
    }),
  );
}
