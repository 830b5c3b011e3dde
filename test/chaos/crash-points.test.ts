import { runCase, type CaseEnd, type CrashCase } from '../support/crash/crash-case';
import { cutsOf, JOURNEYS, nameOf, POLICIES, type Journey } from '../support/crash/journeys';
import { crashLanes, type Lane, type Lanes, type LaneWorker } from '../support/crash/lanes';
import { LONG } from '../support/long-runs';

const MOST_RUNS = 4;
const LANES_PER_POLICY = LONG ? 3 : 2;

/** One of each kind of cut, for every change; the long profile makes them all. */
const REPRESENTATIVES: Record<string, string[]> = {
  'MARKET, answered, on_absent: fail': ['act: after admit', 'act: before settle', 'act: after settle'],
  'MARKET, answered, on_absent: resend': ['act: before POST order', 'act: after POST order'],
  'MARKET, answered, on_absent: manual': ['act: after admit', 'act: after POST order'],
  'MARKET, never arrived, on_absent: fail': ['second look: after look-end'],
  'MARKET, never arrived, on_absent: resend': ['act again: after POST order'],
  'MARKET, never arrived, on_absent: manual': ['resolve: after resolve'],
  'MARKET, found by a person, on_absent: manual': ['resolve: before resolve'],
  'LIMIT, answered': ['act: before admit', 'act: after POST order'],
  'LIMIT, answer lost': ['look: before look-end'],
  'LIMIT, never arrived': ['second look: before DELETE order', 'act again: after admit'],
  'cancel, answered': ['act: after DELETE order'],
  'cancel, never arrived': ['look: after look-end'],
};
const CASES = JOURNEYS.flatMap((journey) =>
  (LONG ? cutsOf(journey) : (REPRESENTATIVES[nameOf(journey)] ?? [])).map((point) => ({ journey, point })),
);

let lanes: Lanes;
let whole: CaseEnd[];
let cut: CaseEnd[];

beforeAll(async () => {
  lanes = await crashLanes();
  const open = await Promise.all(
    POLICIES.flatMap((policy) => Array.from({ length: LANES_PER_POLICY }, (_, index) => openLane(policy, index))),
  );
  const laneOf = ({ policy }: Journey) => open.find((each) => policy === 'any' || each.policy === policy)!;
  whole = await Promise.all(JOURNEYS.map((journey) => undisturbed(laneOf(journey), journey)));
  cut = await inLanes(open, CASES, (lane, crash) => runCase(lanes, lane, crash));
}, 1_200_000);

afterAll(async () => {
  await lanes.end();
}, 60_000);

/** Runs a journey; again when it went another way, as a job does whose worker gets no time on a busy machine. */
async function undisturbed(lane: OpenLane, journey: Journey): Promise<CaseEnd> {
  for (let run = 1; ; run++) {
    const end = await runCase(lanes, lane, { journey });
    if (run === MOST_RUNS || String(pointsOf(end)) === String(sorted(journey.points))) return end;
  }
}

const sorted = (points: Iterable<string>): string[] => [...new Set(points)].sort();
const pointsOf = ({ passed }: CaseEnd): string[] => sorted(passed);

interface OpenLane {
  policy: (typeof POLICIES)[number];
  lane: Lane;
  worker: LaneWorker;
}

async function openLane(policy: OpenLane['policy'], index: number): Promise<OpenLane> {
  const lane = await lanes.open(`${policy}-${index}`, { 'FILLSAFE_RETRY__POLICY__ORDER.PLACE__ON_ABSENT': policy });
  return { policy, lane, worker: await lane.startWorker() };
}

/** Runs cases side by side, one at a time in a lane: a killed worker cuts one job. */
async function inLanes(
  open: OpenLane[],
  cases: CrashCase[],
  run: (lane: OpenLane, crash: CrashCase) => Promise<CaseEnd>,
): Promise<CaseEnd[]> {
  const waiting = new Set(cases);
  const ends: CaseEnd[] = [];
  const next = ({ policy }: OpenLane): CrashCase | undefined => {
    const fit = [...waiting].find(({ journey }) => journey.policy === policy);
    const crash = fit ?? [...waiting].find(({ journey }) => journey.policy === 'any');
    if (crash) waiting.delete(crash);
    return crash;
  };
  await Promise.all(
    open.map(async (lane) => {
      for (let crash = next(lane); crash; crash = next(lane)) ends.push(await run(lane, crash));
    }),
  );
  return ends;
}

describe('a job on its way', () => {
  test.each(JOURNEYS.map((journey) => [nameOf(journey), journey] as const))(
    'passes the points at which this suite cuts it, and no others: %s',
    (name, { points }) => {
      const end = whole.find((each) => each.name === name)!;
      expect(end.problems).toEqual([]);
      expect(pointsOf(end)).toEqual(sorted(points));
    },
  );
});

describe('a worker that is killed (-9)', () => {
  test.each(CASES.map(({ journey, point }) => [point, nameOf(journey)]))(
    '%s: at most one order, and every caller is told what the venue knows: %s',
    (point, name) => {
      const end = cut.find((each) => each.name === name && each.point === point);
      expect(end?.problems).toEqual([]);
    },
  );

  test('leaves nothing unresolved once the jobs have ended', async () => {
    expect(await lanes.guard.unresolved('paper')).toEqual([]);
  });
});

afterAll(() => {
  if (!LONG) return;
  const rows = JOURNEYS.flatMap((journey) => {
    const name = nameOf(journey);
    const ends = cut.filter((each) => each.name === name);
    return [`\n${name}`, ...ends.map(({ point, ended }) => `  ${point.padEnd(36)} ${ended}`)];
  });
  process.stdout.write(`${rows.join('\n')}\n`);
});
