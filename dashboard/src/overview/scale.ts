/** Round numbers for an axis from 0 on, and which labels have room beneath it. */

/** Some three to five round steps from 0 to the first that holds the most; with nothing to show, 0 and 1. */
export function ticksOf(most: number): number[] {
  if (!(most > 0) || !Number.isFinite(most)) return [0, 1];
  const step = stepOf(most / 4);
  const steps = Math.ceil(most / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** Some three to six round steps around a range, which need not begin at 0. */
export function ticksBetween(low: number, high: number): number[] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const room = high > low ? high - low : Math.abs(high) || 1;
  const step = stepOf(room / 4);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** A round step of about that size or larger. */
function stepOf(rough: number): number {
  const size = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 2.5, 5].find((one) => one * size >= rough * (1 - 1e-9)) ?? 10) * size;
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
