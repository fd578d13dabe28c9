import type { Metric, Result } from '../api/types';
import { dollars, milliseconds, percent, UNKNOWN } from '../parts/format';

/** A decimal in its unit, as people read it. The exact figure is the text itself. */
export function inUnit(decimal: string | null, unit: string | null): string {
  if (decimal === null || decimal === '') return UNKNOWN;
  const number = Number(decimal);
  if (!Number.isFinite(number)) return decimal;
  if (unit === 'USD') return dollars(decimal);
  if (unit === 'ms') return milliseconds(number);
  if (unit?.startsWith('%')) return percent(number);
  const plain = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 }).format(number);
  return unit ? `${plain} ${unit}` : plain;
}

export function isFinal(result: Result): boolean {
  return result.status >= 2;
}

/** Of what became of one log. */
export const COLOURS = { scored: 'gauge', failed: 'red', skipped: 'gray' };

export const STATUSES = ['queued', 'running', 'completed', 'no usable logs', 'failed', 'cancelled'];
export const STATUS_COLOURS = ['gray', 'blue', 'gauge', 'yellow', 'red', 'gray'];

/** From where to where an axis goes on which several intervals of one unit are drawn. */
export function axisOf(results: Pick<Metric, 'result' | 'low' | 'high' | 'unit'>[]): [number, number] {
  const unit = results[0]?.unit ?? '';
  if (unit.startsWith('%')) return [0, 100];
  const ends = results
    .flatMap((one) => [one.low, one.result, one.high])
    .filter((one): one is string => one !== null && one !== '')
    .map(Number);
  const low = Math.min(0, ...ends);
  const high = Math.max(...ends, 0);
  return [low, high === low ? low + 1 : high + (high - low) * 0.08];
}
