import { Badge, Button, Card, Collapse, Group, List, Pagination, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { type Monitor, type Notice, useNotices } from '../api/monitors';
import { Snippet } from '../parts/Copy';
import { count, fullMoment, milliseconds } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useTypes } from './MonitorParts';

const PER_PAGE = 10;
const COLOURS: Record<Notice['state'], string> = { pending: 'blue', delivered: 'gauge', 'given up': 'red', 'not sent': 'gray' };
const MEANS: Record<Notice['state'], string> = {
  pending: 'it goes out until somebody takes it, for three days',
  delivered: 'the receiver took it',
  'given up': 'nobody took it within three days',
  'not sent': 'the monitor had no webhook',
};

/** What was told, and every try at it. */
export function Notices({ gateway, monitor }: { gateway: string; monitor: Monitor }) {
  const [page, setPage] = useState(1);
  const notices = useNotices(gateway, monitor, page);
  const total = notices.data?.info.total_count ?? 0;
  return (
    <Card component="section" aria-label="Notices">
      <Title order={2} mb="xs">
        Notices
      </Title>
      {notices.isPending && <Loading rows={3} />}
      {notices.isError && <Failed problem={notices.error} retry={() => void notices.refetch()} />}
      {notices.data?.items.length === 0 && (
        <Empty title="Nothing was told yet">
          A notice is made when a window is worse by more than chance
          {monitor.notify_on_failure ? ', failed, had no logs, lost its baseline or reached a cap' : ''}, once for each drop.
          {monitor.webhook === null && ' This monitor has no webhook, so it would only stand here.'}
        </Empty>
      )}
      <Stack gap="md">
        {notices.data?.items.map((notice) => (
          <One key={notice.id} notice={notice} />
        ))}
      </Stack>
      {total > PER_PAGE && <Pagination mt="sm" size="sm" total={Math.ceil(total / PER_PAGE)} value={page} onChange={setPage} />}
    </Card>
  );
}

/** The questions that a notice is about, out of what is sent. */
function subjectOf({ body, event }: Notice, nameOf: (type: string) => string): string {
  try {
    const sent = JSON.parse(body) as { data: { checks: { raised: boolean; words: string; evaluation_type_id: string }[] } };
    const told = sent.data.checks.filter((one) => one.raised).map((one) => `${nameOf(one.evaluation_type_id)}: ${one.words}`);
    if (told.length > 0) return told.join('\n');
  } catch {
    // it is shown as it is, below
  }
  return event;
}

function One({ notice }: { notice: Notice }) {
  const [opened, { toggle }] = useDisclosure();
  const { nameOf } = useTypes();
  const left = notice.tries - notice.tried.length;
  const title = notice.event === 'monitor.alert' ? 'Alert' : 'Failure';
  return (
    <section aria-label={`${title} of ${fullMoment(notice.created_at)}`}>
      <Group gap="xs">
        <Title order={3}>{title}</Title>
        <Text size="sm" className="figures">
          {fullMoment(notice.created_at)}
        </Text>
        <Badge color={COLOURS[notice.state]} title={MEANS[notice.state]}>
          {notice.state}
        </Badge>
        <Text size="xs" c="dimmed">
          {MEANS[notice.state]}
          {notice.next_try_at !== null && `; the next try is at ${fullMoment(notice.next_try_at)}`}
        </Text>
      </Group>
      <Text size="sm" className="logged prose" mt={2}>
        {subjectOf(notice, nameOf)}
      </Text>
      {notice.tried.length > 0 && (
        <List size="xs" mt={4} spacing={2} aria-label="Tries">
          {left > 0 && <List.Item>{count(left)} earlier tries, of which no more is kept</List.Item>}
          {notice.tried.map((one) => (
            <List.Item key={one.at} className="figures" style={{ whiteSpace: 'normal' }}>
              {fullMoment(one.at)}: {one.status_code === null ? one.error : `status ${one.status_code}`}, after{' '}
              {milliseconds(one.duration_ms)}
              {one.status_code !== null && one.error ? `; ${one.error}` : ''}
            </List.Item>
          ))}
        </List>
      )}
      <Button variant="default" size="compact-xs" mt={6} onClick={toggle} aria-expanded={opened}>
        {opened ? 'Hide what is sent' : 'Show what is sent'}
      </Button>
      <Collapse expanded={opened}>{opened && <Snippet text={pretty(notice.body)} label="the body of the webhook" />}</Collapse>
    </section>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
