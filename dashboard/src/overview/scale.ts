/** Round numbers for an axis from 0 on, and which labels have room beneath it. */

/** Some three to five round steps from 0 to the first that holds the most; with nothing to show, 0 and 1. */
export function ticksOf(most: number): number[] {
  if (!(most > 0) || !Number.isFinite(most)) return [0, 1];
  const rough = most / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((one) => one * size >= rough * (1 - 1e-9)) ?? 10) * size;
  const steps = Math.ceil(most / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** The places of labels that have room: every first, second, fifth … of them. */
export function labelled(places: number, width: number, room: number): number[] {
  const every = Math.max(1, Math.ceil((places * room) / Math.max(1, width)));
  return Array.from({ length: Math.ceil(places / every) }, (_, at) => at * every);
}

/** Lines through what is known; a gap where it is not, and a dot where a point stands alone. */
export function runsOf(values: (number | null)[]): number[][] {
  const runs: number[][] = [];
  values.forEach((value, at) => {
    if (value === null) return;
    if (at > 0 && values[at - 1] !== null) runs.at(-1)?.push(at);
    else runs.push([at]);
  });
  return runs;
}
