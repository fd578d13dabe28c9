import { Text } from '@mantine/core';
import type { Metric } from '../api/types';
import { inUnit } from './figures';

const WIDTH = 240;
const HEIGHT = 22;
const INSET = 4;

export type Drawn = Pick<Metric, 'result' | 'low' | 'high' | 'unit' | 'interval_level' | 'interval_note'>;

interface Props {
  result: Drawn;
  axis: [number, number];
  /** A place on the axis to which the interval is held, as 0 is for differences. */
  mark?: number;
}

/** A figure with its interval, drawn on an axis; or why there is no interval. */
export function Interval({ result, axis: [from, to], mark }: Props) {
  if (result.result === '') return null;
  const place = (decimal: string) => INSET + ((Number(decimal) - from) / (to - from)) * (WIDTH - 2 * INSET);
  const { low, high } = result;
  const known = low !== null && high !== null;
  const level = Math.round((result.interval_level ?? 0.95) * 100);
  const words = known
    ? `${level} % interval: ${inUnit(low, result.unit)} to ${inUnit(high, result.unit)}`
    : `no interval: ${result.interval_note ?? 'not known'}`;
  const y = HEIGHT / 2;
  return (
    <div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={words} style={{ maxWidth: '100%' }}>
        <line x1={INSET} x2={WIDTH - INSET} y1={y} y2={y} stroke="var(--mantine-color-default-border)" strokeWidth={1} />
        {mark !== undefined && (
          <line
            x1={place(String(mark))}
            x2={place(String(mark))}
            y1={1}
            y2={HEIGHT - 1}
            stroke="var(--mantine-color-dimmed)"
            strokeDasharray="2 2"
          />
        )}
        {known && (
          <line
            x1={place(low)}
            x2={place(high)}
            y1={y}
            y2={y}
            stroke="var(--mantine-primary-color-filled)"
            strokeWidth={5}
            strokeOpacity={0.45}
          />
        )}
        {known &&
          [low, high].map((end) => (
            <line
              key={end}
              x1={place(end)}
              x2={place(end)}
              y1={y - 6}
              y2={y + 6}
              stroke="var(--mantine-primary-color-filled)"
              strokeWidth={1.5}
            />
          ))}
        <circle cx={place(result.result)} cy={y} r={3.5} fill="var(--mantine-color-text)" />
      </svg>
      <Text size="xs" c="dimmed" style={{ whiteSpace: 'normal' }} maw={WIDTH + 40}>
        {words}
      </Text>
    </div>
  );
}
