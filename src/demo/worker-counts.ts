/** What the workers of a demo counted, over their deaths: the last reading of each worker is kept and added up. */
export class WorkerCounts {
  private readonly readings = new Map<number, Map<string, number>>();

  /** Reads the worker's page; a worker that is down keeps its last reading. */
  async read(pid: number | undefined, metricsAddress: string | null): Promise<void> {
    if (pid === undefined || metricsAddress === null) return;
    try {
      const response = await fetch(`${metricsAddress}/metrics`, { signal: AbortSignal.timeout(2_000) });
      this.readings.set(pid, parse(await response.text()));
    } catch {
      // Killed or starting.
    }
  }

  /** Sum of a counter over all workers and over the series whose labels include `labels`. */
  sum(name: string, labels: Record<string, string> = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let sum = 0;
    for (const series of this.readings.values()) {
      for (const [key, value] of series) {
        if (key.split('{')[0] === name && wanted.every((label) => key.includes(label))) sum += value;
      }
    }
    return sum;
  }
}

function parse(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
