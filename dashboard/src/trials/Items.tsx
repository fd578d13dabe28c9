import { Alert, Anchor, Badge, Card, Group, Pagination, Select, SimpleGrid, Stack, Switch, Text, Title } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import { useEvaluationTypes } from '../api/evaluations';
import { type Trial, type TrialItem, useTrialItems } from '../api/trials';
import { LoggedText } from '../logs/Conversation';
import { readAnswer, wordsOf } from '../logs/conversation';
import { Marked } from '../logs/Marked';
import { differences, likeness } from '../parts/diff';
import { count, dollars, milliseconds, UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { reasonInWords } from './reasons';

const REQUESTS = 5; // on a page

type Shown = 'all' | 'failed' | 'skipped';

/** Every request: what was logged, and what each candidate made of it, with the words marked that differ. */
export function Items({ gateway, trial }: { gateway: string; trial: Trial }) {
  const [page, setPage] = useState(1);
  const [shown, setShown] = useState<Shown>('all');
  const [marked, setMarked] = useState(true);
  const sides = trial.candidates.length + 1;
  const perPage = shown === 'all' ? REQUESTS * sides : 20;
  const items = useTrialItems(gateway, trial, { page, perPage, ...(shown !== 'all' && { status: shown }) });
  const total = items.data?.info.total_count ?? 0;
  return (
    <Card component="section" aria-label="Requests side by side">
      <Group justify="space-between" mb="xs" gap="xs">
        <Title order={2}>Requests side by side</Title>
        <Group gap="sm">
          <Switch label="Mark differences" checked={marked} onChange={(event) => setMarked(event.currentTarget.checked)} />
          <Select
            aria-label="Which are shown"
            w={150}
            data={[
              { value: 'all', label: 'all requests' },
              { value: 'failed', label: 'what failed' },
              { value: 'skipped', label: 'what was skipped' },
            ]}
            value={shown}
            onChange={(value) => {
              setShown(value as Shown);
              setPage(1);
            }}
          />
        </Group>
      </Group>
      {items.isPending && <Loading />}
      {items.isError && <Failed problem={items.error} retry={() => void items.refetch()} />}
      {items.data?.items.length === 0 && (
        <Empty
          title={shown === 'all' ? 'No request has been looked at yet' : shown === 'failed' ? 'Nothing failed' : 'Nothing was skipped'}
        />
      )}
      <Stack gap="lg">
        {byRequest(items.data?.items ?? []).map((request) => (
          <Request key={request[0]?.place} gateway={gateway} trial={trial} sides={request} marked={marked} />
        ))}
      </Stack>
      {total > perPage && <Pagination mt="sm" size="sm" total={Math.ceil(total / perPage)} value={page} onChange={setPage} />}
    </Card>
  );
}

/** The sides that are on the page, by their request. */
function byRequest(items: TrialItem[]): TrialItem[][] {
  const found = new Map<number, TrialItem[]>();
  for (const item of items) found.set(item.place, [...(found.get(item.place) ?? []), item]);
  return [...found.values()];
}

/** The words of an answer, whatever the format that it came in. */
function words(item: TrialItem | undefined): string | null {
  if (item?.response == null) return null;
  return wordsOf(readAnswer(item.response)) || item.response;
}

interface RequestProps {
  gateway: string;
  trial: Trial;
  sides: TrialItem[];
  marked: boolean;
}

function Request({ gateway, trial, sides, marked }: RequestProps) {
  const logged = sides.find((one) => one.side === 0);
  const lone = sides.length === 2 ? sides.find((one) => one.side > 0) : undefined; // with more, the logged side has no one other
  const number = (sides[0]?.place ?? 0) + 1;
  return (
    <section aria-label={`Request ${number}`}>
      <Group gap="xs" mb={4}>
        <Title order={3}>Request {count(number)}</Title>
        {!trial.frozen && sides[0] && (
          <Anchor component={Link} size="xs" href={`/gateways/${encodeURIComponent(gateway)}/logs?log=${sides[0].logged_log_id}`}>
            what was asked
          </Anchor>
        )}
      </Group>
      <SimpleGrid cols={{ base: 1, sm: Math.min(3, sides.length) }} spacing="md">
        {sides.map((item) => (
          <Side key={item.side} gateway={gateway} trial={trial} item={item} other={item.side > 0 ? logged : lone} marked={marked} />
        ))}
      </SimpleGrid>
    </section>
  );
}

const COLOURS: Record<TrialItem['status'], string> = { replayed: 'gauge', failed: 'red', skipped: 'gray', sent: 'blue', answered: 'blue' };

interface SideProps {
  gateway: string;
  trial: Trial;
  item: TrialItem;
  /** What its words are compared with. */
  other?: TrialItem;
  marked: boolean;
}

function Side({ gateway, trial, item, other, marked }: SideProps) {
  const text = words(item);
  const otherText = words(other);
  const isLogged = item.side === 0;
  const spans = useMemo(() => {
    if (otherText === null || text === null) return null;
    return isLogged ? differences(text, otherText) : differences(otherText, text);
  }, [isLogged, otherText, text]);
  const same = spans?.every((one) => one.kind === 'same') ?? false;
  const compared = !isLogged && other?.log_id && item.log_id && !item.log_deleted && !trial.frozen;
  const address = `/gateways/${encodeURIComponent(gateway)}/logs/compare?ids=${item.logged_log_id},${item.log_id}&second=${encodeURIComponent(trial.through)}`;
  return (
    <section aria-label={`${item.label}, request ${item.place + 1}`}>
      <Group gap={6} mb={2}>
        <Text size="xs" fw={600} className="cell" maw={180} title={item.label}>
          {item.label}
        </Text>
        {(item.side > 0 || item.status !== 'replayed') && <Badge color={COLOURS[item.status]}>{item.status}</Badge>}
        {spans !== null && !isLogged && (
          <Badge color={same ? 'gauge' : 'gray'}>{same ? 'the same words' : `${Math.floor(likeness(spans))} % alike`}</Badge>
        )}
      </Group>
      <Figures item={item} />
      {item.reason && (
        <Alert color={item.status === 'failed' ? 'red' : 'gray'} variant="light" p="xs" my={4}>
          <Text size="xs" className="logged prose">
            {[reasonInWords(item.reason), item.note].filter(Boolean).join(': ')}
          </Text>
        </Alert>
      )}
      {text === null ? (
        !item.reason && (
          <Text size="xs" c="dimmed">
            {item.status === 'sent' ? 'under way' : 'no answer is kept'}
          </Text>
        )
      ) : marked && spans !== null && !same ? (
        <Marked spans={spans} own={isLogged ? 'gone' : 'new'} />
      ) : (
        <LoggedText text={text} prose />
      )}
      {compared && (
        <Anchor component={Link} size="xs" href={address} aria-label={`both logs in full: request ${item.place + 1} of ${item.label}`}>
          both logs in full
        </Anchor>
      )}
    </section>
  );
}

function Figures({ item }: { item: TrialItem }) {
  const types = useEvaluationTypes();
  const nameOf = (id: string) => types.data?.find((one) => one.id === id)?.name ?? id;
  const scores = item.scores.map(
    (one) => `${nameOf(one.evaluation_type_id)} ${one.failed ? 'failed' : one.score === null ? UNKNOWN : Number(one.score.toPrecision(4))}`,
  );
  const facts = [
    item.cost === null ? 'cost unknown' : dollars(item.cost),
    milliseconds(item.duration),
    `${count(item.tokens_in)} tokens in, ${count(item.tokens_out)} out`,
    ...scores,
    ...(item.maybe_paid_twice ? ['may have been paid twice'] : []),
  ];
  if (item.status === 'skipped' || item.status === 'sent') return null;
  return (
    <Text
      size="xs"
      c="dimmed"
      className="figures"
      style={{ whiteSpace: 'normal' }}
      title={
        item.scores
          .map((one) => one.note)
          .filter(Boolean)
          .join('\n') || undefined
      }
    >
      {facts.join(' · ')}
    </Text>
  );
}
