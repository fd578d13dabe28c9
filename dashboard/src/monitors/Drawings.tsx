import { Card, ColorSwatch, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { type Monitor, useWindows, type Window } from '../api/monitors';
import { inUnit } from '../evaluations/figures';
import { count } from '../parts/format';
import { pointsOf, told } from './findings';
import { useTypes } from './MonitorParts';
import { inPerCent, pValue } from './schedule';
import { drawnIn, WindowsPlot } from './WindowsPlot';

const DRAWN = 50;

/** Each question over the newest windows, drawn. */
export function Drawings({ gateway, monitor }: { gateway: string; monitor: Monitor }) {
  const windows = useWindows(gateway, monitor, 1, DRAWN);
  const found = windows.data?.items ?? [];
  if (found.length < 2) return null;
  const against = monitor.baseline_evaluation_id === null ? 'the windows before' : 'the baseline';
  return (
    <section aria-label="Over the windows">
      <SimpleGrid cols={{ base: 1, lg: monitor.evaluation_type_ids.length > 1 ? 2 : 1 }} spacing="sm">
        {monitor.evaluation_type_ids.map((type) => (
          <Drawing key={type} windows={found} type={type} monitor={monitor} />
        ))}
      </SimpleGrid>
      <Text size="xs" c="dimmed" mt={4}>
        A dot is a window’s figure; the grey line is what {against} had. The bar is the 95 % interval of the difference, laid at that line:
        a bar that reaches the line may be chance. As {inPerCent(monitor.weekly_alpha)} is the chance of any false alarm in a week, one look
        alone has to be surer than 95 %: only p up to {pValue(monitor.alpha)} counts.
      </Text>
    </section>
  );
}

function Drawing({ windows, type, monitor }: { windows: Window[]; type: string; monitor: Monitor }) {
  const { nameOf, directionOf } = useTypes();
  const points = pointsOf(windows, type);
  const direction = directionOf(type);
  const unit = points.find(({ check }) => check?.unit)?.check?.unit ?? '';
  const found = points
    .map(({ check, figure }) => check && { ...told(check, direction), drawn: figure !== null })
    .filter((one) => one !== undefined);
  const legend = new Map(found.map((one) => [`${one.label} ${one.drawn}`, one]));
  const worse = points.filter(({ check }) => check?.finding === 'worse').length;
  const margin = monitor.margins[type];
  return (
    <Card padding="sm">
      <Title order={2}>
        {nameOf(type)}{' '}
        <Text span size="xs" c="dimmed">
          {direction === 'neither' ? 'described, not judged' : `${direction} is better`}
          {margin && `; up to ${margin.unit === 'percent' ? `${margin.amount} %` : inUnit(String(margin.amount), unit)} worse is no alert`}
        </Text>
      </Title>
      <Group gap="2px 12px" my={6} aria-hidden>
        {[...legend.values()].map((one) => (
          <Group key={`${one.label} ${one.drawn}`} gap={4} wrap="nowrap">
            {one.drawn ? (
              <ColorSwatch size={9} withShadow={false} color={drawnIn(one)} />
            ) : (
              <Text size="xs" fw={700} c={drawnIn(one)}>
                ×
              </Text>
            )}
            <Text size="xs">{one.drawn ? one.label : `${one.label}: no figure`}</Text>
          </Group>
        ))}
      </Group>
      <div
        role="img"
        aria-label={`${nameOf(type)} over ${count(points.length)} windows, ${count(worse)} of them worse than before; the figures are in the table of windows`}
      >
        <WindowsPlot points={points} unit={unit} direction={direction} whens={points.map(({ window }) => tick(window.until, monitor))} />
      </div>
    </Card>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

function tick(when: string, { interval_minutes }: Monitor): string {
  return (interval_minutes % 1440 === 0 ? day : clock).format(new Date(when));
}
