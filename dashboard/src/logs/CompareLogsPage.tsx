import { Alert, Anchor, Badge, Button, Card, Group, SimpleGrid, Stack, Switch, Table, Text, Title } from '@mantine/core';
import { type ReactNode, useMemo, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { type Body, useBody, useLog } from '../api/logs';
import type { LogDetail } from '../api/types';
import { differences, likeness, type Span } from '../parts/diff';
import { count, dollars, fullMoment, milliseconds, UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { Page } from '../shell/Page';
import { readBytes } from './body-text';
import { OutcomeBadge } from './columns';
import { Conversation, LoggedText } from './Conversation';
import { Marked } from './Marked';
import { parsed, readAnswer, readRequest, type Turn, wordsOf } from './conversation';

/** Two logs side by side: what was asked, what was answered, and where the words differ. */
export default function CompareLogsPage({ gateway }: { gateway: string }) {
  const [params] = useSearchParams();
  const [first, second] = (params.get('ids') ?? '').split(',').filter(Boolean);
  const other = params.get('second') ?? gateway; // whose log the second one is, as a replay's calls are another's
  const base = `/gateways/${encodeURIComponent(gateway)}/logs`;
  return (
    <Page
      title="Compare two logs"
      actions={
        <Button component={Link} href={base} variant="default">
          All logs
        </Button>
      }
    >
      {first && second ? (
        <Both key={`${first} ${second}`} first={[gateway, first]} second={[other, second]} />
      ) : (
        <Empty title="Two logs are compared">Open one on the Logs page, choose “Compare”, and then the other one.</Empty>
      )}
    </Page>
  );
}

interface Side {
  gateway: string;
  log: LogDetail;
  asked: Turn[];
  answered: Turn[];
  words: { asked: string; answered: string };
  /** Why there is no text of the answer. */
  without: string | null;
}

function useSide(gateway: string, id: string) {
  const log = useLog(gateway, id);
  const request = useBody(gateway, id, 'request');
  const response = useBody(gateway, id, 'response');
  const side = useMemo(
    () =>
      log.data && request.data !== undefined && response.data !== undefined ? sideOf(gateway, log.data, request.data, response.data) : null,
    [gateway, log.data, request.data, response.data],
  );
  const problem = log.error ?? request.error ?? response.error;
  return { side, problem, retry: () => void Promise.all([log.refetch(), request.refetch(), response.refetch()]) };
}

function sideOf(gateway: string, log: LogDetail, request: Body | null, response: Body | null): Side {
  const sent = request ? readBytes(request.bytes) : null;
  const came = response ? readBytes(response.bytes) : null;
  const asked = sent && !sent.binary ? readRequest(parsed(sent.text)) : [];
  const answered = came && !came.binary ? readAnswer(came.text) : [];
  const raw = (read: typeof sent) => (read && !read.binary ? read.text : '');
  const without =
    response === null
      ? 'No body of the answer is kept.'
      : came?.binary
        ? 'The answer is binary data.'
        : response.complete
          ? null
          : 'Only the beginning of the answer is kept.';
  return {
    gateway,
    log,
    asked,
    answered,
    words: { asked: wordsOf(asked) || raw(sent), answered: wordsOf(answered) || raw(came) },
    without,
  };
}

function Both({ first, second }: { first: [string, string]; second: [string, string] }) {
  const one = useSide(...first);
  const other = useSide(...second);
  const failed = one.problem ? one : other.problem ? other : null;
  if (failed?.problem) return <Failed problem={failed.problem} retry={failed.retry} />;
  if (!one.side || !other.side) return <Loading rows={12} />;
  return (
    <Stack>
      <Facts sides={[one.side, other.side]} />
      <Answers sides={[one.side, other.side]} />
      <Questions sides={[one.side, other.side]} />
    </Stack>
  );
}

type Pair = [Side, Side];

const FACTS: { label: string; show: (log: LogDetail) => ReactNode; value: (log: LogDetail) => unknown }[] = [
  { label: 'Outcome', show: (log) => <OutcomeBadge log={log} />, value: (log) => log.outcome },
  { label: 'Provider', show: (log) => log.provider, value: (log) => log.provider },
  { label: 'Model', show: (log) => log.model || UNKNOWN, value: (log) => log.model },
  {
    label: 'Cost',
    show: (log) => (log.cost_exact === null ? `unknown: ${log.cost_reason ?? 'no reason given'}` : dollars(log.cost_exact)),
    value: (log) => log.cost_exact,
  },
  { label: 'Tokens in', show: (log) => count(log.tokens_in), value: (log) => log.tokens_in },
  { label: 'Tokens out', show: (log) => count(log.tokens_out), value: (log) => log.tokens_out },
  { label: 'Duration', show: (log) => milliseconds(log.duration), value: (log) => log.duration },
  {
    label: 'Feedback',
    show: (log) => (log.feedback === 1 ? 'thumbs up' : log.feedback === -1 ? 'thumbs down' : 'none'),
    value: (log) => log.feedback || null,
  },
  { label: 'Score', show: (log) => log.score ?? UNKNOWN, value: (log) => log.score },
  { label: 'Metadata', show: (log) => entries(log) || UNKNOWN, value: entries },
];

function entries(log: LogDetail): string {
  return Object.entries(log.metadata ?? {})
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ');
}

/** What the logs say, line by line; where they differ stands out. */
function Facts({ sides }: { sides: Pair }) {
  return (
    <Card padding={0}>
      <Table.ScrollContainer minWidth={560} type="native">
        <Table aria-label="What the logs say" verticalSpacing={3}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={120}>
                <span className="visually-hidden">Field</span>
              </Table.Th>
              {sides.map(({ log, gateway }, at) => (
                <Table.Th key={at} w="45%">
                  <Anchor component={Link} size="sm" href={`/gateways/${encodeURIComponent(gateway)}/logs?log=${log.id}`}>
                    {at === 0 ? 'First' : 'Second'}: {fullMoment(log.created_at)}
                  </Anchor>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {FACTS.map(({ label, show, value }) => {
              const differs = value(sides[0].log) !== value(sides[1].log);
              return (
                <Table.Tr key={label}>
                  <Table.Th scope="row" fw={400}>
                    <Text size="sm" c="dimmed">
                      {label}
                    </Text>
                  </Table.Th>
                  {sides.map(({ log }, at) => (
                    <Table.Td key={at}>
                      <Text size="sm" component="div" className="logged prose" fw={differs ? 600 : 400}>
                        {show(log)}
                      </Text>
                    </Table.Td>
                  ))}
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

function Answers({ sides }: { sides: Pair }) {
  const [marked, setMarked] = useState(true);
  const spans = useMemo(() => differences(sides[0].words.answered, sides[1].words.answered), [sides]);
  const nothing = sides.every(({ words }) => words.answered === '');
  const same = spans?.every((one) => one.kind === 'same');
  return (
    <Card>
      <Group justify="space-between" mb="xs">
        <Group gap="xs">
          <Title order={2}>Answers</Title>
          {nothing && <Badge color="gray">no text of either is kept</Badge>}
          {spans !== null && !nothing && (
            <Badge color={same ? 'gauge' : 'gray'}>{same ? 'the same, word for word' : `${Math.floor(likeness(spans))} % alike`}</Badge>
          )}
        </Group>
        {spans !== null && !same && (
          <Switch label="Mark differences" checked={marked} onChange={(event) => setMarked(event.currentTarget.checked)} />
        )}
      </Group>
      {spans === null && (
        <Text size="xs" c="dimmed" mb="xs" role="status">
          They are too long, or have too little in common, to mark words in.
        </Text>
      )}
      <SideBySide sides={sides} spans={marked && spans !== null ? spans : null} which="answered" />
    </Card>
  );
}

function Questions({ sides }: { sides: Pair }) {
  const spans = useMemo(() => differences(sides[0].words.asked, sides[1].words.asked), [sides]);
  const nothing = sides.every(({ words }) => words.asked === '');
  const same = spans?.every((one) => one.kind === 'same');
  return (
    <Card>
      <Group gap="xs" mb="xs">
        <Title order={2}>What was asked</Title>
        {nothing && <Badge color="gray">no text of either is kept</Badge>}
        {spans !== null && !nothing && (
          <Badge color={same ? 'gauge' : 'gray'}>{same ? 'the same of both' : `${Math.floor(likeness(spans))} % alike`}</Badge>
        )}
      </Group>
      {same && sides[0].asked.length > 0 ? (
        <Conversation turns={sides[0].asked} />
      ) : (
        <SideBySide sides={sides} spans={spans} which="asked" />
      )}
    </Card>
  );
}

function SideBySide({ sides, spans, which }: { sides: Pair; spans: Span[] | null; which: 'asked' | 'answered' }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      {sides.map((side, at) => (
        <section key={at} aria-label={`${which === 'asked' ? 'Asked' : 'Answered'}: ${at === 0 ? 'first' : 'second'}`}>
          <Text size="xs" c="dimmed" fw={600} mb={4} className="cell" maw="100%">
            {at === 0 ? 'First' : 'Second'}: {side.log.model || side.log.provider}
          </Text>
          {which === 'answered' && side.without && (
            <Alert color="yellow" variant="light" mb="xs">
              {side.without}
            </Alert>
          )}
          {spans === null ? <LoggedText text={side.words[which]} prose /> : <Marked spans={spans} own={at === 0 ? 'gone' : 'new'} />}
        </section>
      ))}
    </SimpleGrid>
  );
}
