import { Alert, Button, Card, Checkbox, Group, NumberInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { useEvaluationTypes } from '../api/evaluations';
import { useGateways } from '../api/gateways';
import { type ShadowBody, useCreateShadow, useShadowForecast } from '../api/shadows';
import { dollars, sentMoment } from '../parts/format';
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
import { DayForecastTable } from './DayForecastTable';

/** Where the server's words stand at their field. */
const FIELDS = ['name', 'dataset_id', 'through', 'share', 'daily_cap', 'until', 'max_items', 'concurrency'];

/** A shadow is put together; it begins with the next request. */
export default function NewShadowPage({ gateway }: { gateway: string }) {
  const mayWrite = useMay('Write');
  const gateways = useGateways();
  const types = useEvaluationTypes();
  if (!mayWrite) return <Empty title="This token may not shadow">A shadow needs a token that may Write.</Empty>;
  const problem = gateways.error ?? types.error;
  if (problem) return <Failed problem={problem} />;
  if (!gateways.data || !types.data) return <Loading rows={10} />;
  return (
    <Page title="New shadow">
      <Form
        gateway={gateway}
        others={gateways.data.items.map((one) => one.id).filter((id) => id !== gateway)}
        questions={types.data.filter((one) => one.enable && one.type !== 'aggregate').map((one) => ({ value: one.id, label: one.name }))}
      />
    </Page>
  );
}

function Form({ gateway, others, questions }: { gateway: string; others: string[]; questions: Choice[] }) {
  const [params] = useSearchParams();
  const [, go] = useLocation();
  const create = useCreateShadow(gateway);
  const forecast = useShadowForecast(gateway);
  const [name, setName] = useState('');
  const [dataset, setDataset] = useState<string | null>(params.get('dataset'));
  const [through, setThrough] = useState<string | null>(others[0] ?? null);
  const [candidates, setCandidates] = useState<CandidateDraft[]>(() => [newCandidate()]);
  const [judged, setJudged] = useState<string[]>([]);
  const [margins, setMargins] = useState<MarginDraft[]>([]);
  const [share, setShare] = useState<string | number>(5);
  const [cap, setCap] = useState<string | number>(1);
  const [until, setUntil] = useState('');
  const [most, setMost] = useState<string | number>(10_000);
  const [concurrency, setConcurrency] = useState<string | number>(4);
  const [acceptUnknown, setAcceptUnknown] = useState(false);
  const base = `/gateways/${encodeURIComponent(gateway)}/shadows`;
  const problem = create.error ?? forecast.error;
  const about = aboutOf(problem);
  const unplaced = unplacedOf(problem, FIELDS);
  const complete =
    name.trim() !== '' &&
    through !== null &&
    share !== '' &&
    cap !== '' &&
    candidates.every((one) => parametersOf(one.parameters) !== null);
  const body: ShadowBody = {
    name: name.trim(),
    dataset_id: dataset,
    through: through ?? '',
    candidates: candidates.map(toCandidate),
    share: Number(share),
    daily_cap: Number(cap),
    until: until === '' ? null : sentMoment(until),
    ...(most !== '' && { max_items: Number(most) }),
    evaluation_type_ids: judged,
    margins: toMargins(margins),
    ...(concurrency !== '' && { concurrency: Number(concurrency) }),
    accept_unknown_cost: acceptUnknown,
  };
  const { told, look } = useForecastOf(forecast, body);
  const isCurrent = told !== undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.reset();
    look();
  };
  const begin = () => create.mutate(body, { onSuccess: (made) => go(`${base}/${made.id}`) });
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm" c="dimmed" maw={820}>
          Once a request was answered and logged, it may be drawn, and is then sent to the candidates as well. Nobody’s answer waits for
          that or changes; what your users wrote goes to the candidates’ providers.
        </Text>
        {others.length === 0 && <NeedsGateway what="A shadow" />}
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
              <NumberInput
                miw={180}
                label="Share of the requests, in per cent"
                description="Drawn by lot, before anything is known of them."
                required
                min={0}
                max={100}
                decimalScale={4}
                value={share}
                onChange={setShare}
                error={about('share')}
              />
              <DatasetSelect
                gateway={gateway}
                value={dataset}
                onChange={setDataset}
                error={about('dataset_id')}
                clearable
                placeholder="all requests"
                description="Only requests that it selects, as it is now."
              />
              <GatewaySelect gateway={gateway} value={through} onChange={setThrough} error={about('through')} />
            </Group>
          </Stack>
        </Card>
        <CandidateForms gateway={gateway} drafts={candidates} about={about} onChange={setCandidates} />
        <Card>
          <Stack gap="sm">
            <Title order={2}>How they are compared</Title>
            <Judging questions={questions} judged={judged} onJudged={setJudged} margins={margins} onMargins={setMargins} about={about} />
          </Stack>
        </Card>
        <Card>
          <Stack gap="sm">
            <Title order={2}>What it may cost, and when it ends</Title>
            <Group grow align="flex-start" preventGrowOverflow={false}>
              <NumberInput
                miw={180}
                label="Cap a day, in dollars"
                description="Of all candidates’ calls, in a day of UTC."
                required
                min={0}
                decimalScale={12}
                value={cap}
                onChange={setCap}
                error={about('daily_cap')}
              />
              <TextInput
                miw={180}
                type="datetime-local"
                label="Until"
                description="Your time. Empty: 30 days from now."
                value={until}
                onChange={(event) => setUntil(event.currentTarget.value)}
                error={about('until')}
              />
              <NumberInput
                miw={180}
                label="Requests at most"
                description="It ends when so many were sent; up to 50,000."
                min={1}
                max={50_000}
                value={most}
                onChange={setMost}
                error={about('max_items')}
              />
              <NumberInput
                miw={180}
                label="Requests at a time"
                description="1 to 32. Too few for the share: some are missed."
                min={1}
                max={32}
                value={concurrency}
                onChange={setConcurrency}
                error={about('concurrency')}
              />
            </Group>
            <Spending cap={cap} />
            <Checkbox
              label="Also send calls of which nobody knows what they cost"
              description="The cap cannot count them before they have ended. Without this, a candidate without a known price is refused."
              checked={acceptUnknown}
              onChange={(event) => setAcceptUnknown(event.currentTarget.checked)}
            />
          </Stack>
        </Card>
        {unplaced && <Failed problem={unplaced} />}
        {told && (
          <Card component="section" aria-label="What a day would cost">
            <Title order={2} mb="xs">
              What a day would cost
            </Title>
            <DayForecastTable forecast={told} />
          </Card>
        )}
        <Group>
          <Button type="submit" variant={isCurrent ? 'default' : 'filled'} loading={forecast.isPending} disabled={!complete}>
            Forecast a day’s cost
          </Button>
          <Button disabled={!isCurrent || !complete} loading={create.isPending} onClick={begin}>
            Begin to shadow
          </Button>
          <Button variant="default" component={Link} href={base}>
            Cancel
          </Button>
          <Text size="xs" c="dimmed">
            {isCurrent || forecast.data === undefined
              ? 'It begins with the next request, and spends from then on. It can be stopped at any time. A forecast sends nothing.'
              : 'It was changed: forecast it anew.'}
          </Text>
        </Group>
      </Stack>
    </form>
  );
}

/** How the cap is kept, with the figures that were typed. */
function Spending({ cap }: { cap: string | number }) {
  return (
    <Alert color="gray" variant="light" p="xs">
      <Text size="xs">
        The most that a call can cost is reserved before it is sent, so the calls of a day never pass{' '}
        {cap === '' ? 'the cap' : dollars(cap)}. Once there is no room, nothing more is sent on that day, and what is drawn is counted as
        missed: to go on with cheaper requests alone would be no fair sample. A lower share is better than a shadow that pauses every day.
        Judges have caps of their own beside it.
      </Text>
    </Alert>
  );
}
