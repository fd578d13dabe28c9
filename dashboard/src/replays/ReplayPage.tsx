import { Alert, Button, Card, Code, Group, Modal, NumberInput, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError } from '../api/client';
import { type Going, type Replay, useReplay, useRunReplay } from '../api/replays';
import { CopyIcon } from '../parts/Copy';
import { count, dollars, fullMoment } from '../parts/format';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { Candidates } from '../trials/Candidates';
import { Items } from '../trials/Items';
import { Results } from '../trials/Results';
import { SidesTable } from '../trials/Sides';
import { Spent } from '../trials/Spent';
import { doneOf, ForecastTable, StateBadge } from './ReplayParts';
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
        {data.comparison && (
          <Results comparison={data.comparison} total={data.total_items} speed="The logged ones are those of their day." />
        )}
        {data.total_items > 0 && <Items gateway={gateway} trial={{ ...data, kind: 'replay', frozen: data.snapshot !== null }} />}
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
      <Spent {...replay} cap={replay.max_cost} />
      <SidesTable progress={replay.progress} total={replay.total_items} />
    </Card>
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
        <Candidates candidates={replay.candidates} />
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
