/** What a window says, as people say it. */
import type { Check, Finding, Monitor, Window } from '../api/monitors';

/** Which way is good; as evaluation types have it. */
export type Direction = 'higher' | 'lower' | 'neither';

export interface Told {
  label: string;
  colour: string;
  /** What that means, and what not. */
  means: string;
}

const PLAIN: Record<Exclude<Finding, 'worse' | 'cannot tell'>, Told> = {
  failed: { label: 'failed', colour: 'orange', means: 'there is no figure: the evaluation failed, was cancelled or deleted' },
  'cap reached': {
    label: 'cap reached',
    colour: 'yellow',
    means: 'judges had no money left, so only the beginning of the window was judged, and it is not compared',
  },
  'no baseline': { label: 'no baseline', colour: 'orange', means: 'the evaluation it is compared with was deleted: name another one' },
  'no logs': { label: 'no logs', colour: 'gray', means: 'the window has none' },
  'not enough logs': { label: 'too few logs', colour: 'gray', means: 'too few logs have a figure, here or in what it is compared with' },
  'no reference': { label: 'nothing to compare with', colour: 'gray', means: 'no earlier window has a figure' },
  'not compared': { label: 'not compared', colour: 'gray', means: 'it has no good direction, or too many windows were asked for' },
  'worse within the margin': {
    label: 'worse within the margin',
    colour: 'yellow',
    means: 'worse for certain, but by less than its margin',
  },
  better: { label: 'better than before', colour: 'gauge', means: 'by more than chance' },
};

/**
 * What may be chance, told apart by which way it points: where a figure is as good as before, there is no reason to
 * think that it is worse; where it is not, nobody can tell.
 */
function perhaps(pointsDown: boolean): Told {
  return pointsDown
    ? { label: 'cannot tell', colour: 'gray', means: 'it does not look as good as before, but that may be chance' }
    : { label: 'no sign of getting worse', colour: 'gauge', means: 'it looks as good as before or better, which may be chance' };
}

/** Whether a figure that may have moved by chance looks worse; also where nobody knows. */
function pointsDown({ difference }: Check, direction: Direction): boolean {
  if (difference === null || direction === 'neither') return true;
  return direction === 'higher' ? difference < 0 : difference > 0;
}

export function told(check: Check, direction: Direction): Told {
  const { finding } = check;
  if (finding === 'worse') return { label: 'worse than before', colour: 'red', means: 'by more than chance, and by its margin: an alert' };
  if (finding === 'cannot tell') return perhaps(pointsDown(check, direction));
  return PLAIN[finding];
}

/** What a window says as a whole: the first thing to look at. null: its evaluation is under way. */
export function toldOf(window: Window, directionOf: (type: string) => Direction): Told | null {
  const { finding, checks } = window;
  if (finding === null) return null;
  const doubtful = checks.filter((one) => one.finding === 'cannot tell');
  if (finding === 'cannot tell') return perhaps(doubtful.some((one) => pointsDown(one, directionOf(one.evaluation_type_id))));
  const first = checks.find((one) => one.finding === finding);
  return first ? told(first, directionOf(first.evaluation_type_id)) : told({ finding } as Check, 'neither');
}

/** What was told and has not passed, by finding. */
export function raisedOf(monitor: Monitor): { finding: Finding; type: string }[] {
  return monitor.raised.map((one) => {
    const at = one.indexOf(':');
    return { finding: one.slice(0, at) as Finding, type: one.slice(at + 1) };
  });
}

/** One window of a type, as it is drawn: null where there is nothing to draw. */
export interface Point {
  window: Window;
  check: Check | undefined;
  figure: number | null;
  reference: number | null;
  /** The difference's 95 % interval, laid at the reference: it misses the reference where the difference is more than that. */
  low: number | null;
  high: number | null;
}

/** The windows of a type from the oldest on. */
export function pointsOf(windows: Window[], type: string): Point[] {
  return windows
    .map((window) => {
      const check = window.checks.find((one) => one.evaluation_type_id === type);
      const reference = check?.reference_figure ?? null;
      const laid = (end: number | null | undefined) => (reference === null || end == null ? null : reference + end);
      return { window, check, figure: check?.figure ?? null, reference, low: laid(check?.low), high: laid(check?.high) };
    })
    .reverse();
}

/** From where to where figures go; shares stay within what shares can be. */
export function rangeOf(points: Point[], unit: string): [number, number] {
  const ends = points.flatMap(({ figure, reference, low, high }) => [figure, reference, low, high]).filter((one) => one !== null);
  if (ends.length === 0) return [0, 1];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return unit.startsWith('%') ? [Math.max(0, Math.min(100, low)), Math.max(0, Math.min(100, high))] : [low, high];
}
