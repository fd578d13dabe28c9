import { Card, ColorSwatch, Group, SimpleGrid, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Analytics, Figures, Series } from '../api/analytics';
import { compact, count, dollars, milliseconds } from '../parts/format';
import { nameOf } from './OverviewPage';
import { colour, type Drawn, Plot } from './Plot';

const COLOURS = ['gauge.6', 'indigo.5', 'orange.5', 'grape.5', 'cyan.6', 'yellow.6', 'gray.5'];
const OUTCOMES: Record<string, string> = {
  success: 'gauge.6',
  cached: 'blue.5',
  'client gone': 'gray.5',
  'upstream error': 'red.6',
  'rate limited': 'orange.5',
  timeout: 'pink.6',
};

/** Requests, cost, tokens and durations over time. The table below them says the same in figures. */
export function Charts({ analytics, whole }: { analytics: Analytics; whole: Analytics }) {
  const whens = analytics.buckets.map(({ start }) => tick(start, analytics.bucket));
  const requests = grouped(analytics, (figures) => figures.requests);
  const costs = grouped(analytics, (figures) => Number(figures.cost));
  const tokens = [tokensOf(analytics, 'in'), tokensOf(analytics, 'out')];
  const latencies = durations(whole);
  const unknown = analytics.totals.cost_unknown;
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="sm">
      <Chart title="Requests" legend={requests}>
        <Plot whens={whens} series={requests} kind="stacked" shown={compact} exact={count} />
      </Chart>
      <Chart title="Cost" legend={costs} note={unknown > 0 ? `without ${count(unknown)} requests of unknown cost` : undefined}>
        <Plot whens={whens} series={costs} kind="stacked" shown={dollars} exact={dollars} />
      </Chart>
      <Chart title="Duration" legend={latencies} note="of all requests">
        <Plot
          whens={whole.buckets.map(({ start }) => tick(start, whole.bucket))}
          series={latencies}
          kind="lines"
          shown={milliseconds}
          exact={milliseconds}
        />
      </Chart>
      <Chart title="Tokens" legend={tokens}>
        <Plot whens={whens} series={tokens} kind="stacked" shown={compact} exact={count} />
      </Chart>
    </SimpleGrid>
  );
}

interface ChartProps {
  title: string;
  legend: Drawn[];
  note?: string;
  children: ReactNode;
}

function Chart({ title, legend, note, children }: ChartProps) {
  return (
    <Card padding="sm">
      <Title order={2}>
        {title}{' '}
        {note && (
          <Text span size="xs" c="dimmed">
            {note}
          </Text>
        )}
      </Title>
      <Group gap="2px 12px" my={6} aria-hidden>
        {legend.map(({ name, color }, index) => (
          <Group key={index} gap={4} wrap="nowrap">
            <ColorSwatch size={9} withShadow={false} color={colour(color)} />
            <Text size="xs">{name}</Text>
          </Group>
        ))}
      </Group>
      <div role="img" aria-label={`${title} over time; the figures are in the table`}>
        {children}
      </div>
    </Card>
  );
}

function colourOf(series: Series, index: number): string {
  return OUTCOMES[nameOf(series)] ?? (series.other ? 'gray.5' : (COLOURS[index % COLOURS.length] ?? 'gray.5'));
}

function grouped(analytics: Analytics, figure: (figures: Figures) => number): Drawn[] {
  return analytics.series.map((one, index) => ({
    name: shorten(nameOf(one)),
    color: colourOf(one, index),
    values: analytics.buckets.map((_, at) => {
      const point = one.points[at];
      return point === undefined ? 0 : figure(point);
    }),
  }));
}

function tokensOf(analytics: Analytics, which: 'in' | 'out'): Drawn {
  const values = analytics.buckets.map((_, at) =>
    analytics.series.reduce((sum, one) => sum + (one.points[at]?.[`tokens_${which}`] ?? 0), 0),
  );
  return { name: which, color: which === 'in' ? 'gauge.6' : 'indigo.5', values };
}

/** Of all requests: percentiles of groups cannot be added. */
function durations(whole: Analytics): Drawn[] {
  const values = (which: 'p50' | 'p95' | 'p99') => whole.buckets.map((_, at) => whole.series[0]?.points[at]?.duration?.[which] ?? null);
  return [
    { name: 'median', color: 'gauge.6', values: values('p50') },
    { name: '95 %', color: 'orange.5', values: values('p95') },
    { name: '99 %', color: 'red.6', values: values('p99') },
  ];
}

function shorten(name: string): string {
  return name.length <= 28 ? name : `${name.slice(0, 27)}…`;
}

const minute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const hour = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

function tick(start: string, bucket: Analytics['bucket']): string {
  return { minute, hour, day }[bucket].format(new Date(start));
}
