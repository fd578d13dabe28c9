import { Anchor, Button, Card, Code, Group, List, Pill, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, useLocation } from 'wouter';
import { type Monitor, useMonitor, useRunMonitor } from '../api/monitors';
import { worded } from '../logs/filter-keys';
import { CopyIcon } from '../parts/Copy';
import { ago, count, dollars, fullMoment } from '../parts/format';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { Spent } from '../trials/Spent';
import { DeleteMonitor, MonitorBadges, PauseMonitor, useTypes } from './MonitorParts';
import { Drawings } from './Drawings';
import { Notices } from './Notices';
import { everyInWords, inPerCent, looksAWeek, pValue, secondsInWords } from './schedule';
import { Windows } from './Windows';

/** One monitor: how it stands, its windows over time, and what it has told. */
export default function MonitorPage({ gateway, id }: { gateway: string; id: string }) {
  const monitor = useMonitor(gateway, id);
  const [pausing, pause] = useDisclosure();
  const [deleting, remove] = useDisclosure();
  const mayWrite = useMay('Write');
  const [, go] = useLocation();
  const base = `/gateways/${encodeURIComponent(gateway)}/monitors`;
  if (monitor.isPending) return <Loading rows={8} />;
  if (monitor.isError) return <Failed problem={monitor.error} retry={() => void monitor.refetch()} />;
  const { data } = monitor;
  return (
    <Page
      title={data.name}
      actions={
        mayWrite && (
          <>
            <RunNow gateway={gateway} monitor={data} />
            <Button variant="default" onClick={pause.open}>
              {data.enabled ? 'Pause' : 'Resume'}
            </Button>
            <Button variant="default" component={Link} href={`${base}/${id}/change`}>
              Change
            </Button>
            <Button variant="default" onClick={remove.open}>
              Delete
            </Button>
          </>
        )
      }
    >
      <Stack>
        <State monitor={data} />
        <Drawings gateway={gateway} monitor={data} />
        <Windows gateway={gateway} monitor={data} />
        <Notices gateway={gateway} monitor={data} />
        <Watched gateway={gateway} monitor={data} />
      </Stack>
      {pausing && <PauseMonitor gateway={gateway} monitor={data} onClose={pause.close} />}
      {deleting && <DeleteMonitor gateway={gateway} monitor={data} onClose={remove.close} onDeleted={() => go(base)} />}
    </Page>
  );
}

function RunNow({ gateway, monitor }: { gateway: string; monitor: Monitor }) {
  const run = useRunMonitor(gateway, monitor.id);
  return (
    <>
      {run.isError && (
        <Text size="xs" className="bad" role="alert">
          {run.error.message}
        </Text>
      )}
      {monitor.enabled && (
        <Button variant="default" loading={run.isPending} disabled={monitor.open_window_id !== null} onClick={() => run.mutate()}>
          Run now
        </Button>
      )}
    </>
  );
}

/** Whether it watches, what is raised, what comes next, and what was spent. */
function State({ monitor }: { monitor: Monitor }) {
  const { spent_today, daily_max_cost } = monitor;
  return (
    <Card padding="sm">
      <Group gap="sm" role="status">
        <MonitorBadges monitor={monitor} />
        <Text size="sm" className="figures" style={{ whiteSpace: 'normal' }}>
          {monitor.raised.length === 0 && 'Nothing is raised. '}
          {nextInWords(monitor)}
        </Text>
        <CopyIcon text={monitor.id} label="Copy the id" />
      </Group>
      {spent_today !== null && daily_max_cost !== null && (
        <Spent spent={spent_today} reserved="0" unsettled="0" cap={daily_max_cost} span=" by its judges today (UTC)" px={0} />
      )}
    </Card>
  );
}

function nextInWords({ open_window_id, next_at, counted_until }: Monitor): string {
  if (open_window_id !== null) return `A window is under way, of the logs up to ${fullMoment(counted_until)}.`;
  if (next_at === null) return 'It is paused: nothing is counted, and nothing is spent.';
  return `Logs are counted up to ${fullMoment(counted_until)}; the next window is evaluated ${ago(next_at)}, at ${fullMoment(next_at)}.`;
}

/** All that was asked for, in words. */
function Watched({ gateway, monitor }: { gateway: string; monitor: Monitor }) {
  const { nameOf } = useTypes();
  const base = `/gateways/${encodeURIComponent(gateway)}`;
  return (
    <Card>
      <Title order={2} mb="xs">
        What is watched
      </Title>
      <Logs monitor={monitor} />
      <List size="sm" spacing={4} mt="xs">
        <List.Item>Finds out: {monitor.evaluation_type_ids.map(nameOf).join(', ')}.</List.Item>
        <List.Item>
          Looks {everyInWords(monitor.interval_minutes)} (at full multiples of that in UTC)
          {monitor.settle_seconds === 0 ? ', at once' : `, ${secondsInWords(monitor.settle_seconds)} after the window’s end`}.
        </List.Item>
        <List.Item>
          What looks at each log sees {monitor.share === 1 ? 'all logs' : `${inPerCent(monitor.share)} of the logs`} of a window
          {monitor.max_items !== null && `, at most ${count(monitor.max_items)}`}; what is computed from columns sees all of them.
        </List.Item>
        <List.Item>
          {monitor.daily_max_cost === null
            ? 'No judge is among them, and there is no daily cap.'
            : `Its judges spend at most ${dollars(monitor.daily_max_cost)} in a day of UTC.`}
        </List.Item>
        <List.Item>
          Compared with{' '}
          {monitor.baseline_evaluation_id === null ? (
            `the ${count(monitor.reference_windows)} windows before that have a figure, together`
          ) : (
            <Anchor component={Link} size="sm" href={`${base}/evaluations/${monitor.baseline_evaluation_id}`}>
              an evaluation that stays the same
            </Anchor>
          )}
          , where at least {count(monitor.min_logs)} logs have a figure on both sides.
        </List.Item>
        <List.Item>
          {inPerCent(monitor.weekly_alpha)} is the chance of any false alarm in a week. There are{' '}
          {count(Math.round(looksAWeek(monitor.interval_minutes)))} looks in it, those included that may be asked for, so in each p has to
          be at most {pValue(monitor.alpha)}.
        </List.Item>
        <List.Item>
          {monitor.webhook === null ? (
            'Nobody is told: it has no webhook, and notices only stand here.'
          ) : (
            <>
              Told is <Code style={{ overflowWrap: 'anywhere' }}>{monitor.webhook.url}</Code>
            </>
          )}
          {monitor.notify_on_failure && ' Also of failures, windows without logs and caps that were reached.'}
        </List.Item>
        <List.Item>The last {count(monitor.keep_windows)} windows are kept.</List.Item>
      </List>
    </Card>
  );
}

/** Which logs, as its datasets were when that was last said. */
function Logs({ monitor }: { monitor: Monitor }) {
  return (
    <Stack gap={6}>
      {monitor.datasets.map((dataset) => (
        <Group key={dataset.id} gap={6}>
          <Text size="sm">{dataset.name}:</Text>
          {dataset.filters.length === 0 && <Text size="sm">all logs of the gateway</Text>}
          {dataset.filters.map((filter) => (
            <Pill key={JSON.stringify(filter)} size="sm">
              {worded(filter)}
            </Pill>
          ))}
        </Group>
      ))}
    </Stack>
  );
}
