import { ColorSwatch, Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import { inUnit } from '../evaluations/figures';
import { colour } from '../overview/Plot';
import { labelled, ticksBetween } from '../overview/scale';
import { count, fullMoment } from '../parts/format';
import { type Direction, type Point, rangeOf, type Told, told } from './findings';

const HEIGHT = 180;
const LEFT = 62;
const BOTTOM = 22;
const TOP = 8;
const LABEL_ROOM = 84;

/** Of Mantine's colours, those in which a finding is drawn. */
export function drawnIn({ colour: name }: Told): string {
  return colour({ gauge: 'gauge.6', red: 'red.6', gray: 'gray.5', orange: 'orange.6', yellow: 'yellow.6' }[name] ?? 'gray.5');
}

interface Props {
  points: Point[];
  unit: string;
  direction: Direction;
  /** Beneath the axis, for each point. */
  whens: string[];
}

/** A figure over the windows: a dot for each, what it is compared with as a line, and the difference's interval as a bar. */
export function WindowsPlot({ points, unit, direction, whens }: Props) {
  const { ref, width } = useElementSize();
  const [pointed, setPointed] = useState<number | null>(null);
  const inner = Math.max(0, width - LEFT - 8);
  const slot = inner / Math.max(1, points.length);
  const ticks = ticksBetween(...rangeOf(points, unit));
  const [bottom, top] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const y = (value: number) => TOP + (HEIGHT - BOTTOM - TOP) * (1 - (Math.min(top, Math.max(bottom, value)) - bottom) / (top - bottom));
  const x = (at: number) => LEFT + (at + 0.5) * slot;
  const point = (clientX: number, box: DOMRect) => {
    const at = Math.floor((clientX - box.left - LEFT) / Math.max(slot, 1e-9));
    setPointed(at >= 0 && at < points.length ? at : null);
  };
  const under = pointed === null ? undefined : points[pointed];
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
                {inUnit(String(tick), unit)}
              </text>
            </g>
          ))}
          {labelled(points.length, inner, LABEL_ROOM).map((at) => (
            <text key={at} x={x(at)} y={HEIGHT - 5} textAnchor="middle">
              {whens[at]}
            </text>
          ))}
          {pointed !== null && <rect className="pointed" x={x(pointed) - slot / 2} y={TOP} width={slot} height={HEIGHT - BOTTOM - TOP} />}
          {points.map((one, at) => (
            <Drawn key={one.window.id} point={one} x={x(at)} slot={slot} y={y} floor={HEIGHT - BOTTOM} direction={direction} />
          ))}
        </svg>
      )}
      {under && <Box at={x(pointed ?? 0)} width={width} point={under} unit={unit} direction={direction} />}
    </div>
  );
}

interface DrawnProps {
  point: Point;
  x: number;
  slot: number;
  y: (value: number) => number;
  floor: number;
  direction: Direction;
}

function Drawn({ point: { check, figure, reference, low, high }, x, slot, y, floor, direction }: DrawnProps) {
  const found = check && told(check, direction);
  const fill = found ? drawnIn(found) : colour('blue.5');
  if (figure === null) {
    return (
      <path
        d={`M${x - 3},${floor - 8} l6,6 m0,-6 l-6,6`}
        stroke={fill}
        strokeWidth={1.5}
        fill="none"
        data-finding={check?.finding ?? 'under way'}
      />
    );
  }
  const half = Math.min(slot / 2, 24);
  return (
    <g data-finding={check?.finding}>
      {reference !== null && (
        <line x1={x - half} x2={x + half} y1={y(reference)} y2={y(reference)} stroke="var(--mantine-color-dimmed)" strokeWidth={1.5} />
      )}
      {low !== null && high !== null && (
        <line x1={x} x2={x} y1={y(low)} y2={y(high)} stroke={fill} strokeWidth={Math.min(7, slot * 0.5)} strokeOpacity={0.4} />
      )}
      <circle cx={x} cy={y(figure)} r={Math.min(4, Math.max(2.5, slot / 3))} fill={fill} />
    </g>
  );
}

interface BoxProps {
  at: number;
  width: number;
  point: Point;
  unit: string;
  direction: Direction;
}

/** What a window says, beside the pointer. */
function Box({ at, width, point: { window, check, figure, reference }, unit, direction }: BoxProps) {
  const side = at > width / 2 ? { right: width - at + 12 } : { left: at + 12 };
  const found = check && told(check, direction);
  return (
    <div className="figures plot-box" style={{ ...side, whiteSpace: 'normal' }} aria-hidden>
      <Text size="xs" fw={600}>
        until {fullMoment(window.until)}
      </Text>
      <Group gap={4} wrap="nowrap">
        <ColorSwatch size={8} withShadow={false} color={found ? drawnIn(found) : colour('blue.5')} />
        <Text size="xs">{found?.label ?? 'under way'}</Text>
      </Group>
      {figure !== null && (
        <Text size="xs">
          {inUnit(String(figure), unit)}
          {reference !== null && ` against ${inUnit(String(reference), unit)}`}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {count(check?.logs ?? 0)} of {count(window.total_logs)} logs have a figure
      </Text>
    </div>
  );
}
