/** What a calibration says, in words. */
import type { Calibration, Estimate } from '../api/annotations';

export function shareOf(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function between({ low, high }: Estimate): string {
  return low === null || high === null ? '' : ` (95 % interval ${shareOf(low)} to ${shareOf(high)})`;
}

/** Each line by itself; nothing is said of what is not known but that it is not. */
export function inWords(found: Calibration): string[] {
  const { both_good, judge_only, people_only, both_bad, agreement, judged, corrected } = found;
  const held = both_good + judge_only + people_only + both_bad;
  if (held === 0) return ['No log has both a score of the judge and a majority of people’s labels, so nothing can be said.'];
  const good = both_good + people_only;
  const bad = judge_only + both_bad;
  const lines = [
    `Judge and people can be held against each other on ${held} logs; on ${both_good + both_bad} of them they say the same${between(agreement)}.`,
  ];
  if (bad > 0) lines.push(`It lets ${judge_only} of ${bad} pass that people do not call good.`);
  if (good > 0) lines.push(`It turns ${people_only} of ${good} away that people call good.`);
  if (judged.value === null) return lines;
  const rate = `It calls ${shareOf(judged.value)} of the ${judged.n} logs that it scored good.`;
  if (corrected.value === null)
    return [...lines, `${rate} What that share really is cannot be said: ${corrected.note ?? 'it is not known'}.`];
  return [
    ...lines,
    `${rate} With its errors taken off, it is ${shareOf(corrected.value)}${between(corrected)}${isOutside(judged, corrected) ? ', so its own figure misleads' : ''}.`,
  ];
}

/** Whether the judge's own figure lies outside what the corrected one allows. */
function isOutside(judged: Estimate, { low, high }: Estimate): boolean {
  return judged.value !== null && low !== null && high !== null && (judged.value < low || judged.value > high);
}
