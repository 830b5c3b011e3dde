/** What a bench found. */
export interface Report {
  /** The measures by name; of ratios the guarded side stands above the line. */
  result: Record<string, number>;
  /** Lowest and highest over the rounds, where there were rounds. */
  ranges: Record<string, [number, number]>;
  /** How it was measured, a line each. */
  method: string[];
  /** What is promised, by measure. */
  goals: Record<string, Goal>;
  /** Absolute values, for orientation: they say more about the machine than about fillsafe. */
  seen?: Record<string, number>;
}

export type Goal = { atMost: number } | { atLeast: number };

/** The goals that were missed, in words. */
export function missed({ result, goals }: Report): string[] {
  return Object.entries(goals).flatMap(([name, goal]) => {
    const value = result[name] ?? Number.NaN;
    // A measure that is missing or no number has missed its goal.
    if ('atMost' in goal)
      return value <= goal.atMost ? [] : [`${name} is ${value}, at most ${goal.atMost} is the goal`];
    return value >= goal.atLeast ? [] : [`${name} is ${value}, at least ${goal.atLeast} is the goal`];
  });
}

export function asText({ result, ranges, method, goals, seen = {} }: Report): string {
  const rows = Object.entries(result).map(([name, value]) => {
    const between = ranges[name] ? `(${ranges[name].join(' to ')})` : '';
    const goal = goals[name];
    const wanted = goal && ('atMost' in goal ? `goal: at most ${goal.atMost}` : `goal: at least ${goal.atLeast}`);
    return `  ${name.padEnd(18)} ${String(value).padEnd(8)} ${between.padEnd(18)} ${wanted ?? ''}`.trimEnd();
  });
  const absolutes = Object.entries(seen).map(([name, value]) => `  ${name.padEnd(28)} ${value}`);
  return [...method, '', ...rows, ...(absolutes.length > 0 ? ['', 'seen here:', ...absolutes] : [])].join('\n');
}
