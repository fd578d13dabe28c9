/** Figures as people read them. Unknown is always said, and never looks like zero. */

export const UNKNOWN = '–';

const counted = new Intl.NumberFormat('en-US');
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

export function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : counted.format(value);
}

export function compact(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  return Math.abs(value) < 10_000 ? counted.format(value) : short.format(value);
}

/** Dollars with the digits that matter: three significant ones below a cent, cents above a dollar. */
export function dollars(value: number | string | null | undefined): string {
  if (value == null || value === '') return UNKNOWN;
  const number = Number(value);
  if (!Number.isFinite(number)) return String(value);
  if (number === 0) return '$0';
  const size = Math.abs(number);
  if (size >= 1) return `${number < 0 ? '−' : ''}$${size.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  const digits = Math.min(12, Math.max(2, 2 - Math.floor(Math.log10(size))));
  return `${number < 0 ? '−' : ''}$${size.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value < 1000) return `${counted.format(Math.round(value))} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(value / 60_000)} min ${Math.round((value % 60_000) / 1000)} s`;
}

export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value < 1024) return `${value} B`;
  if (value < 1024 * 1024) return `${(value / 1024).toFixed(1)} KB`;
  return `${(value / 1024 / 1024).toFixed(1)} MB`;
}

export function percent(value: number | null | undefined, digits = 1): string {
  return value == null ? UNKNOWN : `${value.toFixed(digits)} %`;
}

const clock = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});
const today = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

const thisYear = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/** Local time; only the time of day where it is today's, and without the year where it is this year's. */
export function moment(text: string): string {
  const [when, now] = [new Date(text), new Date()];
  if (when.toDateString() === now.toDateString()) return today.format(when);
  return when.getFullYear() === now.getFullYear() ? thisYear.format(when) : clock.format(when);
}

export function fullMoment(text: string): string {
  return clock.format(new Date(text));
}

/** A moment typed in local time, as it is sent; what is none goes as it is, and the server says what is wrong with it. */
export function sentMoment(typed: string): string {
  const when = new Date(typed);
  return Number.isNaN(when.getTime()) ? typed : when.toISOString();
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export function ago(text: string): string {
  const seconds = (new Date(text).getTime() - Date.now()) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['second', 60],
    ['minute', 60],
    ['hour', 24],
    ['day', 30],
    ['month', 12],
  ];
  let value = seconds;
  for (const [unit, size] of steps) {
    if (Math.abs(value) < size) return relative.format(Math.round(value), unit);
    value /= size;
  }
  return relative.format(Math.round(value), 'year');
}
