import { ColorSwatch, Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { labelled, runsOf, ticksOf } from './scale';

const HEIGHT = 180;
const LEFT = 62;
const BOTTOM = 22;
const TOP = 8;
const LABEL_ROOM = 84;

export interface Drawn {
  name: string;
  color: string;
  /** One for each place on the axis; null: not known there. */
  values: (number | null)[];
}

interface Props {
  whens: string[];
  series: Drawn[];
  kind: 'stacked' | 'lines';
  /** On the axis. */
  shown: (value: number) => string;
  /** In the box beside the pointer. */
  exact: (value: number) => string;
}

export function colour(name: string): string {
  return `var(--mantine-color-${name.replace('.', '-')})`;
}

/** A chart over time, drawn to the width that there is. */
export function Plot({ whens, series, kind, shown, exact }: Props) {
  const { ref, width } = useElementSize();
  const [pointed, setPointed] = useState<number | null>(null);
  const inner = Math.max(0, width - LEFT - 8);
  const slot = inner / Math.max(1, whens.length);
  const sums = whens.map((_, at) =>
    kind === 'stacked'
      ? series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0)
      : Math.max(0, ...series.map((one) => one.values[at] ?? 0)),
  );
  const ticks = ticksOf(Math.max(0, ...sums));
  const top = ticks.at(-1) ?? 1;
  const y = (value: number) => TOP + (HEIGHT - BOTTOM - TOP) * (1 - value / top);
  const x = (at: number) => LEFT + (at + 0.5) * slot;
  const point = (clientX: number, box: DOMRect) => {
    const at = Math.floor((clientX - box.left - LEFT) / Math.max(slot, 1e-9));
    setPointed(at >= 0 && at < whens.length ? at : null);
  };
  return (
    <div
      ref={ref}
      className="plot"
      style={{ height: HEIGHT }}
      onPointerMove={(event) => point(event.clientX, event.currentTarget.getBoundingClientRect())}
      onPointerLeave={() => setPointed(null)}
    >
      {width > 0 && (
        <svg width={width} height={HEIGHT} aria-hidden>
          {ticks.map((tick) => (
            <g key={tick}>
              <line className="grid" x1={LEFT} x2={LEFT + inner} y1={y(tick)} y2={y(tick)} />
              <text x={LEFT - 8} y={y(tick) + 4} textAnchor="end">
                {shown(tick)}
              </text>
            </g>
          ))}
          {labelled(whens.length, inner, LABEL_ROOM).map((at) => (
            <text key={at} x={x(at)} y={HEIGHT - 5} textAnchor="middle">
              {whens[at]}
            </text>
          ))}
          {pointed !== null && <rect className="pointed" x={x(pointed) - slot / 2} y={TOP} width={slot} height={HEIGHT - BOTTOM - TOP} />}
          {kind === 'stacked'
            ? stacks(whens.length, series, (at) => x(at) - slot * 0.4, slot * 0.8, y)
            : series.map((one, index) => <Line key={index} drawn={one} x={x} y={y} />)}
        </svg>
      )}
      {pointed !== null && <Box at={x(pointed)} width={width} when={whens[pointed] ?? ''} series={series} place={pointed} exact={exact} />}
    </div>
  );
}

function stacks(places: number, series: Drawn[], x: (at: number) => number, width: number, y: (value: number) => number): ReactNode[] {
  const bars: ReactNode[] = [];
  for (let at = 0; at < places; at += 1) {
    let below = 0;
    for (const [index, one] of series.entries()) {
      const value = one.values[at] ?? 0;
      if (value > 0)
        bars.push(
          <rect
            key={`${at} ${index}`}
            x={x(at)}
            width={Math.max(1, width)}
            y={y(below + value)}
            height={y(below) - y(below + value)}
            fill={colour(one.color)}
          />,
        );
      below += value;
    }
  }
  return bars;
}

function Line({ drawn, x, y }: { drawn: Drawn; x: (at: number) => number; y: (value: number) => number }) {
  const height = (at: number) => y(drawn.values[at] ?? 0);
  const runs = runsOf(drawn.values);
  return (
    <g stroke={colour(drawn.color)} fill={colour(drawn.color)}>
      {runs.map((run) => (
        <polyline
          key={run[0]}
          points={run.map((at) => `${x(at)},${height(at)}`).join(' ')}
          fill="none"
          strokeWidth={2}
          strokeLinejoin="round"
        />
      ))}
      {runs
        .filter((run) => run.length === 1 || drawn.values.length < 40)
        .flatMap((run) => run.map((at) => <circle key={at} cx={x(at)} cy={height(at)} r={2.5} />))}
    </g>
  );
}

interface BoxProps {
  at: number;
  width: number;
  when: string;
  series: Drawn[];
  place: number;
  exact: (value: number) => string;
}

/** The figures under the pointer, on the side where there is room. */
function Box({ at, width, when, series, place, exact }: BoxProps) {
  const side = at > width / 2 ? { right: width - at + 12 } : { left: at + 12 };
  return (
    <div className="figures plot-box" style={side} aria-hidden>
      <Text size="xs" fw={600}>
        {when}
      </Text>
      {series.map(({ name, color, values }, index) => {
        const value = values[place];
        return (
          <Group key={index} gap={6} wrap="nowrap" justify="space-between">
            <Group gap={4} wrap="nowrap" miw={0}>
              <ColorSwatch size={8} withShadow={false} color={colour(color)} />
              <Text size="xs" className="cell">
                {name}
              </Text>
            </Group>
            <Text size="xs">{value == null ? '–' : exact(value)}</Text>
          </Group>
        );
      })}
    </div>
  );
}
