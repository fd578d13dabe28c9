import { Alert, Anchor, Button, Card, Checkbox, Group, NumberInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { useDatasets } from '../api/datasets';
import { useEvaluationTypes } from '../api/evaluations';
import { useGateways } from '../api/gateways';
import { type Forecast, type ReplayBody, useCreateReplay, useForecast } from '../api/replays';
import { LIVE, Logs } from '../datasets/Logs';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { CandidateForms } from '../trials/CandidateForms';
import { type CandidateDraft, type MarginDraft, newCandidate, parametersOf, toCandidate, toMargins } from '../trials/candidate';
import { useForecastOf } from '../trials/forecast';
import { Judging } from '../trials/Judging';
import type { Choice } from '../trials/Margins';
import { DatasetSelect, GatewaySelect, NeedsGateway } from '../trials/Source';
import { aboutOf, unplacedOf } from '../trials/unplaced';
import { ForecastTable } from './ReplayParts';

/** Where the server's words stand at their field. */
const FIELDS = ['name', 'dataset_id', 'snapshot_id', 'through', 'max_cost', 'max_items', 'concurrency'];

/** A replay is put together, forecast, and only then run. */
export default function NewReplayPage({ gateway }: { gateway: string }) {
  const mayWrite = useMay('Write');
  const datasets = useDatasets(gateway);
  const gateways = useGateways();
  const types = useEvaluationTypes();
  if (!mayWrite) return <Empty title="This token may not replay">A replay needs a token that may Write.</Empty>;
  const problem = datasets.error ?? gateways.error ?? types.error;
  if (problem) return <Failed problem={problem} />;
  if (!datasets.data || !gateways.data || !types.data) return <Loading rows={10} />;
  const others = gateways.data.items.map((one) => one.id).filter((id) => id !== gateway);
  const usable = datasets.data.items.filter((one) => one.enable);
  return (
    <Page title="New replay">
      <Form
        gateway={gateway}
        others={others}
        datasets={usable.map((one) => one.id)}
        questions={types.data.filter((one) => one.enable && one.type !== 'aggregate').map((one) => ({ value: one.id, label: one.name }))}
      />
    </Page>
  );
}

function Form({ gateway, others, datasets, questions }: { gateway: string; others: string[]; datasets: string[]; questions: Choice[] }) {
  const [params] = useSearchParams();
  const [, go] = useLocation();
  const forecast = useForecast(gateway);
  const create = useCreateReplay(gateway);
  const [name, setName] = useState('');
  const [dataset, setDataset] = useState<string | null>(params.get('dataset') ?? datasets[0] ?? null);
  const [snapshot, setSnapshot] = useState(LIVE);
  const [through, setThrough] = useState<string | null>(others[0] ?? null);
  const [candidates, setCandidates] = useState<CandidateDraft[]>(() => [newCandidate()]);
  const [judged, setJudged] = useState<string[]>([]);
  const [margins, setMargins] = useState<MarginDraft[]>([]);
  const [cap, setCap] = useState<string | number>(1);
  const [most, setMost] = useState<string | number>('');
  const [concurrency, setConcurrency] = useState<string | number>(4);
  const [acceptUnknown, setAcceptUnknown] = useState(false);

  const body: ReplayBody = {
    name: name.trim(),
    ...(snapshot === LIVE ? { dataset_id: dataset } : { snapshot_id: snapshot }),
    through: through ?? '',
    candidates: candidates.map(toCandidate),
    max_cost: Number(cap),
    evaluation_type_ids: judged,
    margins: toMargins(margins),
    ...(most !== '' && { max_items: Number(most) }),
    concurrency: Number(concurrency),
    accept_unknown_cost: acceptUnknown,
  };
  const { told, look } = useForecastOf(forecast, body);
  const isCurrent = told !== undefined;
  const complete =
    dataset !== null &&
    through !== null &&
    name.trim() !== '' &&
    cap !== '' &&
    candidates.every((one) => parametersOf(one.parameters) !== null);
  const problem = create.error ?? forecast.error;
  const about = aboutOf(problem);
  const unplaced = unplacedOf(problem, FIELDS);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.reset();
    look();
  };
  const run = () => create.mutate(body, { onSuccess: (made) => go(`/gateways/${encodeURIComponent(gateway)}/replays/${made.id}`) });
  return (
    <form onSubmit={submit}>
      <Stack>
        {others.length === 0 && <NeedsGateway what="A replay" />}
        {datasets.length === 0 && (
          <Alert color="yellow" variant="light" title="There is no dataset to replay">
            <Anchor component={Link} href={`/gateways/${encodeURIComponent(gateway)}/datasets`} size="sm">
              Make one first
            </Anchor>
          </Alert>
        )}
        <Card>
          <Stack gap="sm">
            <TextInput
              label="Name"
              required
              maxLength={256}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={about('name')}
            />
            <Group grow align="flex-start" preventGrowOverflow={false}>
              <DatasetSelect
                gateway={gateway}
                value={dataset}
                onChange={(id) => {
                  setDataset(id);
                  setSnapshot(LIVE);
                }}
                error={about('dataset_id')}
              />
              <Logs gateway={gateway} dataset={dataset} value={snapshot} onChange={setSnapshot} error={about('snapshot_id')} />
              <GatewaySelect gateway={gateway} value={through} onChange={setThrough} error={about('through')} />
            </Group>
          </Stack>
        </Card>
        <CandidateForms gateway={gateway} drafts={candidates} about={about} onChange={setCandidates} />
        <Card>
          <Stack gap="sm">
            <Judging questions={questions} judged={judged} onJudged={setJudged} margins={margins} onMargins={setMargins} about={about} />
            <Group grow align="flex-start" preventGrowOverflow={false}>
              <NumberInput
                miw={180}
                label="Cap, in dollars"
                description="All calls together never pass it."
                required
                min={0}
                decimalScale={12}
                value={cap}
                onChange={setCap}
                error={about('max_cost')}
              />
              <NumberInput
                miw={180}
                label="Requests at most"
                description="Drawn by lot; empty: all of them."
                min={1}
                max={50_000}
                value={most}
                onChange={setMost}
                error={about('max_items')}
              />
              <NumberInput
                miw={180}
                label="Calls at a time"
                description="1 to 32"
                min={1}
                max={32}
                value={concurrency}
                onChange={setConcurrency}
                error={about('concurrency')}
              />
            </Group>
            <Checkbox
              label="Also send calls of which nobody knows what they cost"
              description="The cap cannot count them before they have ended."
              checked={acceptUnknown}
              onChange={(event) => setAcceptUnknown(event.currentTarget.checked)}
            />
          </Stack>
        </Card>
        {unplaced && <Failed problem={unplaced} />}
        {told && <WouldCost forecast={told} />}
        <Group>
          <Button type="submit" variant={isCurrent ? 'default' : 'filled'} loading={forecast.isPending} disabled={!complete}>
            Forecast the cost
          </Button>
          <Button disabled={!isCurrent || !complete} loading={create.isPending} onClick={run}>
            Run the replay
          </Button>
          <Button variant="default" component={Link} href={`/gateways/${encodeURIComponent(gateway)}/replays`}>
            Cancel
          </Button>
          {!isCurrent && (
            <Text size="xs" c="dimmed">
              {forecast.data === undefined
                ? 'It runs once you have seen what it would cost. Nothing is sent before.'
                : 'It was changed: forecast it anew.'}
            </Text>
          )}
        </Group>
      </Stack>
    </form>
  );
}

function WouldCost({ forecast }: { forecast: Forecast }) {
  return (
    <Card component="section" aria-label="What it would cost">
      <Title order={2} mb="xs">
        What it would cost
      </Title>
      {forecast.total_items === 0 ? (
        <Empty title="No request would be replayed">The dataset selects no log.</Empty>
      ) : (
        <ForecastTable forecast={forecast} />
      )}
    </Card>
  );
}
