/** How often a monitor looks, and what each look may have of a week's chance of a false alarm. */

const WEEK_MINUTES = 7 * 24 * 60;
const ASKED_LOOKS = 5;

export const INTERVALS: { minutes: number; label: string }[] = [
  { minutes: 5, label: 'every 5 minutes' },
  { minutes: 15, label: 'every 15 minutes' },
  { minutes: 60, label: 'every hour' },
  { minutes: 360, label: 'every 6 hours' },
  { minutes: 720, label: 'every 12 hours' },
  { minutes: 1440, label: 'every day' },
  { minutes: 10_080, label: 'every week' },
];

/** An interval as people say it. */
export function everyInWords(minutes: number): string {
  for (const [size, name] of [
    [WEEK_MINUTES, 'week'],
    [1440, 'day'],
    [60, 'hour'],
    [1, 'minute'],
  ] as const) {
    if (minutes % size === 0) return minutes === size ? `every ${name}` : `every ${minutes / size} ${name}s`;
  }
  return `every ${minutes} minutes`;
}

/** A time in seconds as people say it. */
export function secondsInWords(seconds: number): string {
  for (const [size, name] of [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
  ] as const) {
    if (seconds > 0 && seconds % size === 0)
      return seconds === size ? `a${name === 'hour' ? 'n' : ''} ${name}` : `${seconds / size} ${name}s`;
  }
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

/** When the window ends that is open at a moment, both in ms: at a multiple of the interval, counted from 1970 in UTC. */
export function endOfWindow(minutes: number, now: number): number {
  const step = minutes * 60_000;
  return (Math.floor(now / step) + 1) * step;
}

/** The looks of a week: those on schedule, and those that may be asked for. */
export function looksAWeek(minutes: number): number {
  return Math.max(WEEK_MINUTES / minutes, 1) + ASKED_LOOKS;
}

/** What each look has of the week's chance of a false alarm; the server reckons alike. */
export function alphaOf(weekly: number, minutes: number): number {
  return weekly / looksAWeek(minutes);
}

/** A share of 1 in per cent, as it was typed. */
export function inPerCent(share: number): string {
  return `${Number((100 * share).toPrecision(6))} %`;
}

/** A p-value with the digits that matter. */
export function pValue(p: number): string {
  return p < 0.0001
    ? p
        .toExponential(2)
        .replace('e-', ' × 10⁻')
        .replace(/⁻(\d+)$/, (_, digits: string) => `⁻${raised(digits)}`)
    : String(Number(p.toPrecision(3)));
}

function raised(digits: string): string {
  return [...digits].map((one) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(one)]).join('');
}
