import { Anchor, Box, Card, SegmentedControl, Select, SimpleGrid, Stack, Switch, Table, Text, Title } from '@mantine/core';
import { Link, useSearchParams } from 'wouter';
import { type Figures, type Grouping, type Series, useAnalytics } from '../api/analytics';
import type { Filter } from '../api/types';
import { NoLogsYet } from '../logs/NoLogsYet';
import { compact, count, dollars, milliseconds, percent, UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { Page } from '../shell/Page';
import { Charts } from './Charts';

const SPANS = [
  { value: '1', label: '1 hour' },
  { value: '24', label: '24 hours' },
  { value: '168', label: '7 days' },
  { value: '720', label: '30 days' },
];
const GROUPINGS: { value: Grouping; label: string }[] = [
  { value: 'model', label: 'By model' },
  { value: 'provider', label: 'By provider' },
  { value: 'outcome', label: 'By outcome' },
  { value: 'none', label: 'All together' },
];
const TOP = 6;

export default function OverviewPage({ gateway }: { gateway: string }) {
  const [params, setParams] = useSearchParams();
  const hours = Number(params.get('hours')) || 24;
  const grouping = GROUPINGS.find((one) => one.value === params.get('by'))?.value ?? 'model';
  const live = params.get('live') === 'yes';
  const set = (name: string, value: string) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      after.set(name, value);
      return after;
    });
  const analytics = useAnalytics(gateway, hours, grouping, TOP, live);
  const whole = useAnalytics(gateway, hours, 'none', TOP, live);
  return (
    <Page
      title="Overview"
      actions={
        <>
          <Switch label="Live" checked={live} onChange={(event) => set('live', event.currentTarget.checked ? 'yes' : 'no')} />
          <Select aria-label="Group" w={130} data={GROUPINGS} value={grouping} onChange={(value) => value && set('by', value)} />
          <SegmentedControl aria-label="Range" data={SPANS} value={String(hours)} onChange={(value) => set('hours', value)} />
        </>
      }
    >
      {analytics.isPending && <Loading rows={10} />}
      {analytics.isError && <Failed problem={analytics.error} retry={() => void analytics.refetch()} />}
      {analytics.data && analytics.data.totals.requests === 0 && (
        <Nothing gateway={gateway} hours={hours} widen={() => set('hours', '720')} />
      )}
      {analytics.data && analytics.data.totals.requests > 0 && (
        <Stack gap="md">
          <Totals totals={analytics.data.totals} />
          {whole.data && <Charts analytics={analytics.data} whole={whole.data} />}
          {whole.isError && <Failed problem={whole.error} retry={() => void whole.refetch()} />}
          {grouping !== 'none' && (
            <Breakdown gateway={gateway} grouping={grouping} series={analytics.data.series} since={analytics.data.start} />
          )}
          <Text size="xs" c="dimmed">
            Percentiles are of all requests of each bucket, and off by at most {percent(analytics.data.percentile_error * 100)} of
            themselves. Costs are of the requests whose cost is known; the others are counted beside them.
          </Text>
        </Stack>
      )}
    </Page>
  );
}

function Nothing({ gateway, hours, widen }: { gateway: string; hours: number; widen: () => void }) {
  if (hours === 720) return <NoLogsYet gateway={gateway} />;
  return (
    <Empty title="No request in this time">
      <Anchor component="button" size="sm" onClick={widen}>
        Look at the last 30 days
      </Anchor>
    </Empty>
  );
}

function Totals({ totals }: { totals: Figures }) {
  const share = (part: number) => `${percent((100 * part) / totals.requests)} of requests`;
  const unknown = totals.cost_unknown > 0 ? `and ${count(totals.cost_unknown)} requests of unknown cost` : 'of all requests';
  const thumbs = totals.thumbs_up + totals.thumbs_down;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
      <Total
        label="Requests"
        value={count(totals.requests)}
        note={thumbs > 0 ? `thumbs: ${count(totals.thumbs_up)} up, ${count(totals.thumbs_down)} down` : 'no feedback given'}
      />
      <Total label="Errors" value={count(totals.errors)} note={share(totals.errors)} />
      <Total label="Cost" value={dollars(totals.cost)} note={unknown} warn={totals.cost_unknown > 0} />
      <Total
        label="From cache"
        value={count(totals.cached)}
        note={totals.cached > 0 ? `saved ${dollars(totals.cost_saved)}${totals.cost_saved_unknown > 0 ? ' or more' : ''}` : share(0)}
      />
      <Total
        label="Tokens"
        value={compact(totals.tokens_in + totals.tokens_out)}
        note={`${compact(totals.tokens_in)} in, ${compact(totals.tokens_out)} out${totals.tokens_in_unknown > 0 ? `, ${count(totals.tokens_in_unknown)} unknown` : ''}`}
      />
      <Total label="Duration, median" value={milliseconds(totals.duration.p50)} note={`95 %: ${milliseconds(totals.duration.p95)}`} />
    </SimpleGrid>
  );
}

function Total({ label, value, note, warn = false }: { label: string; value: string; note: string; warn?: boolean }) {
  return (
    <Card padding="sm">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text fz={22} fw={600} lh={1.3} className="figures">
        {value}
      </Text>
      <Text size="xs" c={warn ? undefined : 'dimmed'} fw={warn ? 600 : undefined}>
        {note}
      </Text>
    </Card>
  );
}

interface BreakdownProps {
  gateway: string;
  grouping: Grouping;
  series: Series[];
  since: string;
}

/** The same figures as a table: what the charts show, for everybody, and each group's way to its logs. */
function Breakdown({ gateway, grouping, series, since }: BreakdownProps) {
  const label = GROUPINGS.find((one) => one.value === grouping)?.label.replace('By ', '') ?? grouping;
  return (
    <Card padding={0}>
      <Box p="sm" pb={4}>
        <Title order={2}>By {label}</Title>
      </Box>
      <Table.ScrollContainer minWidth={760} type="native">
        <Table className="rows" highlightOnHover aria-label={`By ${label}`}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th tt="capitalize">{label}</Table.Th>
              {['Requests', 'Errors', 'From cache', 'Tokens in', 'Tokens out', 'Cost', 'Unknown cost', 'Median', '95 %'].map((head) => (
                <Table.Th key={head} className="end">
                  {head}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {series.map((one, index) => (
              <Table.Tr key={index}>
                <Table.Td>
                  <GroupLink gateway={gateway} grouping={grouping} series={one} since={since} />
                </Table.Td>
                <Table.Td className="end figures">{count(one.totals.requests)}</Table.Td>
                <Table.Td className="end figures">{count(one.totals.errors)}</Table.Td>
                <Table.Td className="end figures">{count(one.totals.cached)}</Table.Td>
                <Table.Td className="end figures">{compact(one.totals.tokens_in)}</Table.Td>
                <Table.Td className="end figures">{compact(one.totals.tokens_out)}</Table.Td>
                <Table.Td className="end figures">
                  {one.totals.cost_unknown === one.totals.requests ? 'unknown' : dollars(one.totals.cost)}
                </Table.Td>
                <Table.Td className="end figures">{one.totals.cost_unknown === 0 ? UNKNOWN : count(one.totals.cost_unknown)}</Table.Td>
                <Table.Td className="end figures">{milliseconds(one.totals.duration.p50)}</Table.Td>
                <Table.Td className="end figures">{milliseconds(one.totals.duration.p95)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

/** A group's name; those that are not told apart are "others". */
export function nameOf({ group, other }: Series): string {
  if (other) return 'others';
  if (group === '') return 'no model named';
  return String(group ?? 'all requests').replaceAll('_', ' ');
}

function GroupLink({ gateway, grouping, series, since }: Omit<BreakdownProps, 'series'> & { series: Series }) {
  const name = nameOf(series);
  if (series.other || (grouping !== 'model' && grouping !== 'provider') || series.group === null)
    return (
      <Text size="sm" className="cell">
        {name}
      </Text>
    );
  const filters: Filter[] = [
    { key: grouping, operator: 'eq', value: [series.group] },
    { key: 'created_at', operator: 'gt', value: [since] },
  ];
  const href = `/gateways/${encodeURIComponent(gateway)}/logs?filters=${encodeURIComponent(JSON.stringify(filters))}`;
  return (
    <Anchor component={Link} href={href} size="sm" className="cell" title={`The logs of ${name}`}>
      {name}
    </Anchor>
  );
}
