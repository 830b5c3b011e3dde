import type { FillsafeConfig } from '../config/schema';
import { venueTimes } from '../policy/job-policy';
import { createVenues } from '../venues/create-venues';
import { isVenueError, type VenuePort } from '../venues/port';
import type { Finding } from './doctor';
import { errorText } from './output';

/** A symbol that spot venues know, and an order that none has: asking for it needs good keys and changes nothing. */
const PROBE = { symbol: 'BTCUSDT', clientOrderId: 'fillsafe-doctor' };
/** Requests carry the venue's own time, so a difference does no harm; a large one says that this machine's clock is off. */
const CLOCK_WARN_MS = 1_000;

/** Whether each venue answers, what its clock says against ours, and whether it takes our keys. */
export async function checkVenues(config: FillsafeConfig): Promise<Finding[]> {
  const names = Object.keys(config.venues);
  if (names.length === 0)
    return [{ state: 'fail', what: 'venues', found: 'none is configured', todo: 'add one under venues' }];
  let venues: Map<string, VenuePort>;
  try {
    venues = createVenues(config);
  } catch (error) {
    return [{ state: 'fail', what: 'venues', found: errorText(error) }];
  }
  const findings = await Promise.all([...venues.values()].map((venue) => checkVenue(config, venue)));
  return findings.flat();
}

async function checkVenue(config: FillsafeConfig, venue: VenuePort): Promise<Finding[]> {
  const what = `venue ${venue.name}`;
  const address = config.venues[venue.name]?.base_url ?? '';
  try {
    await venue.syncClock();
  } catch (error) {
    const todo = `is venues.${venue.name}.base_url right? Its jobs wait until it answers`;
    return [{ state: 'fail', what, found: `no answer at ${address}: ${errorText(error)}`, todo }];
  }
  return [{ state: 'ok', what, found: `answers at ${address}` }, clock(config, venue), await keys(venue)];
}

function clock(config: FillsafeConfig, venue: VenuePort): Finding {
  const what = `venue ${venue.name} clock`;
  const { nowMs, errorMs } = venue.clock();
  const apartMs = Math.round(nowMs - Date.now());
  const bound = venueTimes(config, venue.name).clockErrorMs;
  const found = `${Math.abs(apartMs)} ms ${apartMs < 0 ? 'behind' : 'ahead of'} ours, measured to ${Math.ceil(errorMs)} ms`;
  if (errorMs > bound) {
    return { state: 'fail', what, found, todo: `clock_error_ms allows ${bound}: the way to the venue is too slow` };
  }
  if (Math.abs(apartMs) < CLOCK_WARN_MS) return { state: 'ok', what, found };
  return { state: 'warn', what, found, todo: "check this machine's clock (NTP); requests carry the venue's time" };
}

async function keys(venue: VenuePort): Promise<Finding> {
  const what = `venue ${venue.name} keys`;
  try {
    await venue.findOrder(PROBE.symbol, { clientOrderId: PROBE.clientOrderId });
    return { state: 'ok', what, found: 'a signed query is answered' };
  } catch (error) {
    if (!isVenueError(error)) return { state: 'fail', what, found: errorText(error) };
    const { category } = error.verdict;
    // The venue checks the signature before it looks at the rest.
    if (category === 'INVALID') return { state: 'ok', what, found: `a signed query is answered (${error.message})` };
    const found = `${category}: ${error.message}`;
    const isRefused = category === 'AUTH' || category === 'RESTRICTED' || category === 'BANNED';
    if (!isRefused) return { state: 'warn', what, found, todo: 'could not be told for sure: run it again' };
    return {
      state: 'fail',
      what,
      found,
      todo: `check api_key, api_secret and their permissions (venues.${venue.name})`,
    };
  }
}
