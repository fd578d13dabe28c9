import { Alert, Badge, Button, Card, Code, Group, Modal, NumberInput, Progress, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError } from '../api/client';
import { useEvaluationTypes } from '../api/evaluations';
import { type Going, type Replay, useReplay, useRunReplay } from '../api/replays';
import { Question } from '../evaluations/Question';
import { CopyIcon } from '../parts/Copy';
import { count, dollars, fullMoment } from '../parts/format';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { ReplayItems } from './ReplayItems';
import { doneOf, ForecastTable, SidesTable, StateBadge } from './ReplayParts';
import { DeleteReplay } from './ReplaysPage';

/** One replay: how far it is, what it found, and every request with its answers side by side. */
export default function ReplayPage({ gateway, id }: { gateway: string; id: string }) {
  const replay = useReplay(gateway, id);
  const [deleting, { open, close }] = useDisclosure();
  const mayWrite = useMay('Write');
  const [, go] = useLocation();
  if (replay.isPending) return <Loading rows={8} />;
  if (replay.isError) return <Failed problem={replay.error} retry={() => void replay.refetch()} />;
  const { data } = replay;
  return (
    <Page
      title={data.name}
      actions={
        mayWrite && (
          <>
            <RunButtons gateway={gateway} replay={data} />
            <Button variant="default" onClick={open}>
              Delete
            </Button>
          </>
        )
      }
    >
      <Stack>
        <State replay={data} />
        {data.comparison && <Results replay={data} comparison={data.comparison} />}
        {data.total_items > 0 && <ReplayItems gateway={gateway} replay={data} />}
        <Asked replay={data} />
      </Stack>
      {deleting && (
        <DeleteReplay
          gateway={gateway}
          replay={data}
          onClose={close}
          onDeleted={() => go(`/gateways/${encodeURIComponent(gateway)}/replays`)}
        />
      )}
    </Page>
  );
}

/** How far it is, and what it has spent. */
function State({ replay }: { replay: Replay }) {
  const { done, all } = doneOf(replay);
  const share = (100 * Number(replay.spent)) / Number(replay.max_cost);
  const held = Number(replay.reserved);
  return (
    <Card padding={0}>
      <Group p="sm" pb={0} gap="sm" role="status">
        <StateBadge replay={replay} />
        <Text size="sm" className="figures">
          {count(done)} of {count(all)} calls ended; {count(replay.total_items)} of {count(replay.selected_logs)} logged requests are
          replayed
        </Text>
        <CopyIcon text={replay.id} label="Copy the id" />
      </Group>
      {(replay.status === 4 || replay.status === 5) && (
        <Text size="sm" px="sm" pt={4} className="logged prose">
          {replay.status_description}
        </Text>
      )}
      <Group px="sm" pt={6} gap="sm">
        <Progress
          value={Math.min(100, share)}
          w={160}
          size="sm"
          color={share > 95 ? 'red' : 'gauge'}
          aria-label={`${dollars(replay.spent)} of ${dollars(replay.max_cost)} spent`}
        />
        <Text size="sm" className="figures" title={replay.spent}>
          {dollars(replay.spent)} of {dollars(replay.max_cost)} spent
          {held > 0 && `, ${dollars(replay.reserved)} held for calls under way`}
          {Number(replay.unsettled) > 0 && `; of it ${dollars(replay.unsettled)} for calls of which nobody knows what they cost`}
        </Text>
      </Group>
      <SidesTable replay={replay} />
    </Card>
  );
}

const NAMES: Record<string, { title: string; description: string }> = {
  cost: { title: 'Cost', description: 'Dollars for a request, of good answers.' },
  speed: { title: 'Latency', description: 'Milliseconds for a request, of good answers. The logged ones are those of their day.' },
  error_rate: { title: 'Errors', description: 'The share of requests that failed by the model or its provider.' },
};

/** Each figure of each side on one axis, with the verdict in words. */
function Results({ replay, comparison }: { replay: Replay; comparison: NonNullable<Replay['comparison']> }) {
  const types = useEvaluationTypes();
  const asked = [...new Set(comparison.sides.flatMap((side) => side.results.map((one) => one.evaluation_type_id)))];
  const order = Object.keys(NAMES);
  const rank = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  return (
    <>
      <Text size="sm" c="dimmed">
        Each candidate against what was logged, request by request. Verdicts are at 95 %, and take into account how many comparisons are
        made.
      </Text>
      {asked
        .sort((one, other) => rank(one) - rank(other))
        .map((id) => {
          const known = NAMES[id];
          const type = types.data?.find((one) => one.id === id);
          const sides = comparison.sides.map((side) => ({
            key: side.label,
            name: (
              <Text size="sm" className="cell" title={side.label}>
                {side.label}
              </Text>
            ),
            metric: side.results.find((one) => one.evaluation_type_id === id),
            without: (
              <Text size="sm" c="dimmed">
                no figure
              </Text>
            ),
            total: replay.total_items,
          }));
          return (
            <Question
              key={id}
              title={known?.title ?? type?.name ?? id}
              description={known?.description ?? type?.description}
              sideTitle="Side"
              sides={sides}
              differences={comparison.differences.filter((one) => one.evaluation_type_id === id)}
            />
          );
        })}
    </>
  );
}

/** What was asked for, and what was forecast. */
function Asked({ replay }: { replay: Replay }) {
  return (
    <Card>
      <Title order={2} mb="xs">
        What was replayed
      </Title>
      <Stack gap="xs">
        <Text size="sm">
          {replay.snapshot
            ? `The snapshot “${replay.snapshot.name}” of “${replay.dataset.name}”`
            : `The dataset “${replay.dataset.name}”, up to ${fullMoment(replay.created_at)}`}
          , through the gateway <Code>{replay.through}</Code>.
        </Text>
        {replay.candidates.map((one) => (
          <div key={one.label}>
            <Group gap={6}>
              <Badge color="gray" maw="100%">
                {one.label}
              </Badge>
              <Text size="sm">{one.model === null ? 'the logged model' : one.model}</Text>
              {Object.keys(one.parameters).length > 0 && <Code>{JSON.stringify(one.parameters)}</Code>}
            </Group>
            {one.system !== null && <Prompt label="In the place of the system prompt" text={one.system} />}
            {one.append_system !== null && <Prompt label="Behind the system prompt" text={one.append_system} />}
          </div>
        ))}
      </Stack>
      {replay.forecast && (
        <>
          <Title order={3} mt="md">
            What was forecast
          </Title>
          <ForecastTable forecast={replay.forecast} />
        </>
      )}
    </Card>
  );
}

function Prompt({ label, text }: { label: string; text: string }) {
  return (
    <>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <pre className="logged prose" dir="auto">
        {text}
      </pre>
    </>
  );
}

/** What can be done with it as it stands. */
function RunButtons({ gateway, replay }: { gateway: string; replay: Replay }) {
  const run = useRunReplay(gateway, replay.id);
  const [going, setGoing] = useState<'resume' | 'retry' | null>(null);
  const unjudged = replay.comparison?.sides.some((side) => side.results.some((one) => one.failed > 0)) ?? false;
  const failed = replay.processed && (replay.status === 4 || unjudged || replay.progress.some((one) => one.failed > 0));
  return (
    <>
      {run.isError && (
        <Text size="xs" c="red" role="alert">
          {run.error.message}
        </Text>
      )}
      {!replay.processed && (
        <Button variant="default" loading={run.isPending} onClick={() => run.mutate({ what: 'cancel' })}>
          Cancel
        </Button>
      )}
      {replay.status === 5 && (
        <Button variant="default" onClick={() => setGoing('resume')}>
          Resume
        </Button>
      )}
      {failed && replay.status !== 5 && (
        <Button variant="default" onClick={() => setGoing('retry')}>
          Retry what failed
        </Button>
      )}
      {going !== null && <GoOn gateway={gateway} replay={replay} what={going} onClose={() => setGoing(null)} />}
    </>
  );
}

function GoOn({
  gateway,
  replay,
  what,
  onClose,
}: {
  gateway: string;
  replay: Replay;
  what: Exclude<Going['what'], 'cancel'>;
  onClose: () => void;
}) {
  const run = useRunReplay(gateway, replay.id);
  const [cap, setCap] = useState<string | number>(Number(replay.max_cost));
  const refused = run.error instanceof ApiError ? run.error.about('max_cost') : undefined;
  const capped = replay.progress.reduce((sum, one) => sum + (one.reasons.cap_reached ?? 0), 0);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run.mutate({ what, ...(Number(cap) !== Number(replay.max_cost) && { max_cost: Number(cap) }) }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={what === 'resume' ? 'Resume the replay?' : 'Retry what failed?'}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">
            {what === 'resume'
              ? 'It goes on where it was cancelled. What was answered is not paid again.'
              : 'What failed is sent again, and judged again where a judge failed. Answers that are there stay, and are not paid again.'}
          </Text>
          {capped > 0 && (
            <Alert color="yellow" variant="light">
              {count(capped)} calls were not sent since the cap had no room: it has to be higher for them.
            </Alert>
          )}
          <NumberInput
            label="Cap for the whole replay, in dollars"
            description={`What was spent counts: ${dollars(replay.spent)} so far.`}
            min={0}
            decimalScale={12}
            value={cap}
            onChange={setCap}
            error={refused}
            required
          />
          {run.isError && !refused && <Failed problem={run.error} />}
          <Group>
            <Button type="submit" loading={run.isPending}>
              {what === 'resume' ? 'Resume' : 'Retry'}
            </Button>
            <Button variant="default" onClick={onClose}>
              Leave it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
