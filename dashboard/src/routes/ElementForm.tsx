import {
  ActionIcon,
  Alert,
  Autocomplete,
  Button,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useKnownProviders } from '../api/known-providers';
import { ConditionForm } from './ConditionForm';
import { about, type Draft, ELSE, type Kind, KINDS, type Problem, span, wayName } from './elements';

interface Props {
  gateway: string;
  draft: Draft;
  drafts: Draft[];
  problems: Problem[];
  readOnly: boolean;
  onChange: (draft: Draft) => void;
  /** Puts a new element into one of its ways. */
  onInsert: (way: number, kind: Kind) => void;
  onRemove: () => void;
}

const WHAT: Record<Kind, string> = {
  start: 'Where each request begins.',
  conditional: 'Two ways, by what the request says in its metadata, headers or body.',
  percentage: 'By chance; with the header cf-aig-session-id always the same way. What the shares leave goes to “else”.',
  rate: 'Two ways, by what has passed. Exact over all processes of a machine.',
  model: 'Asks a model. It fails by any status from 400, without a connection, or without a first byte in time.',
  end: 'After a model failed, its answer is given. Without one: 429 behind a rate limit, else 400.',
};

/** One element: what it is, and where it leads. */
export function ElementForm(props: Props) {
  const { draft, problems, readOnly, onChange, onRemove } = props;
  const set = (change: Partial<Draft>) => onChange({ ...draft, ...change });
  const setProperty = (name: string, value: unknown) => set({ properties: { ...draft.properties, [name]: value } });
  const shown = new Set(FIELDS[draft.kind].concat('id'));
  const others = problems.filter(
    (one) => one.path[0] !== 'outputs' && !shown.has(one.path[0] === 'properties' ? (one.path[1] ?? '') : (one.path[0] ?? '')),
  );
  return (
    <Stack gap="sm" component="section" aria-label={`${KINDS[draft.kind]} ${draft.id}`}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Title order={2}>{KINDS[draft.kind]}</Title>
          <Text size="xs" c="dimmed">
            {WHAT[draft.kind]}
          </Text>
        </div>
        {!readOnly && draft.kind !== 'start' && (
          <Button variant="default" size="compact-xs" flex="none" leftSection={<IconTrash size={14} />} onClick={onRemove}>
            Remove
          </Button>
        )}
      </Group>
      {others.map((one) => (
        <Alert key={one.message} color="red" variant="light">
          <Text size="sm" className="logged prose">
            {[...one.path, one.message].join(': ')}
          </Text>
        </Alert>
      ))}
      <SimpleGrid cols={{ base: 1, sm: draft.kind === 'end' || draft.kind === 'conditional' ? 1 : 2 }} spacing="lg">
        <Stack gap="sm">
          <TextInput
            label="Id"
            description="Named in logs. Counts and shares go on from version to version while it stays."
            maxLength={128}
            value={draft.id}
            disabled={readOnly}
            error={about(problems, 'id')}
            onChange={(event) => set({ id: event.currentTarget.value })}
          />
          {draft.kind === 'conditional' && (
            <ConditionForm draft={draft} problems={problems} readOnly={readOnly} onChange={(conditions) => set({ conditions })} />
          )}
          {draft.kind === 'rate' && <RateFields draft={draft} problems={problems} readOnly={readOnly} set={setProperty} />}
          {draft.kind === 'model' && (
            <ModelFields gateway={props.gateway} draft={draft} problems={problems} readOnly={readOnly} set={setProperty} />
          )}
        </Stack>
        {draft.kind !== 'end' && <Ways {...props} />}
      </SimpleGrid>
    </Stack>
  );
}

const FIELDS: Record<Kind, string[]> = {
  start: [],
  conditional: ['conditions', ''],
  percentage: [],
  rate: ['limitType', 'limit', 'window', 'key', 'technique'],
  model: ['provider', 'model', 'timeout', 'retries'],
  end: [],
};

interface FieldProps {
  draft: Draft;
  problems: Problem[];
  readOnly: boolean;
  set: (name: string, value: unknown) => void;
}

/** What a number field holds: nothing at all is sent as null, and refused. */
function numberOf(value: number | string): number | string | null {
  if (value === '') return null;
  return Number.isNaN(Number(value)) ? value : Number(value);
}

function RateFields({ draft, problems, readOnly, set }: FieldProps) {
  const { limitType, limit, window: seconds, key, technique } = draft.properties as Record<string, string | number | undefined>;
  const wrong = (name: string) => about(problems, 'properties', name);
  return (
    <>
      <div>
        <Text size="xs" fw={500} mb={4}>
          Counted are
        </Text>
        <SegmentedControl
          aria-label="Counted are"
          data={[
            { value: 'count', label: 'requests' },
            { value: 'cost', label: 'dollars' },
          ]}
          value={String(limitType)}
          disabled={readOnly}
          onChange={(value) => set('limitType', value)}
        />
        {wrong('limitType') && (
          <Text size="xs" c="red">
            {wrong('limitType')}
          </Text>
        )}
      </div>
      <Group grow align="flex-start">
        <NumberInput
          label={limitType === 'cost' ? 'Dollars' : 'Requests'}
          description="that may pass"
          min={0}
          value={limit ?? ''}
          disabled={readOnly}
          error={wrong('limit')}
          onChange={(value) => set('limit', numberOf(value))}
        />
        <NumberInput
          label="in how many seconds"
          description={Number(seconds) > 0 ? `a ${span(Number(seconds))}` : '86400 is a day'}
          min={1}
          value={seconds ?? ''}
          disabled={readOnly}
          error={wrong('window')}
          onChange={(value) => set('window', numberOf(value))}
        />
      </Group>
      <TextInput
        label="Counted by"
        description="metadata.…, headers.… or body.…; each value is counted by itself. Empty: all together."
        placeholder="metadata.customer"
        value={key ?? ''}
        disabled={readOnly}
        error={wrong('key')}
        onChange={(event) => set('key', event.currentTarget.value)}
      />
      <Select
        label="Technique"
        data={[
          { value: 'fixed', label: 'fixed windows' },
          { value: 'sliding', label: 'any span of that length' },
        ]}
        value={String(technique ?? 'fixed')}
        disabled={readOnly}
        error={wrong('technique')}
        onChange={(value) => set('technique', value)}
      />
    </>
  );
}

function ModelFields({ gateway, draft, problems, readOnly, set }: FieldProps & { gateway: string }) {
  const { provider, model, timeout, retries } = draft.properties as Record<string, string | number | undefined>;
  const wrong = (name: string) => about(problems, 'properties', name);
  const named = provider === 'custom';
  return (
    <>
      <Autocomplete
        label="Provider"
        description="A slug such as openai, custom-… for one of your own, or custom where the request's metadata names it."
        data={useKnownProviders(gateway)}
        value={String(provider ?? '')}
        disabled={readOnly}
        error={wrong('provider')}
        onChange={(value) => set('provider', value)}
      />
      <TextInput
        label={named ? 'Metadata that names provider and model' : 'Model'}
        placeholder={named ? 'metadata.model' : 'gpt-5-mini'}
        value={model ?? ''}
        disabled={readOnly}
        error={wrong('model')}
        onChange={(event) => set('model', event.currentTarget.value)}
      />
      <Group grow align="flex-start">
        <NumberInput
          label="Timeout, ms"
          description="until the first byte"
          min={1}
          value={timeout ?? ''}
          disabled={readOnly}
          error={wrong('timeout')}
          onChange={(value) => set('timeout', numberOf(value))}
        />
        <NumberInput
          label="Retries"
          description="0 to 4"
          min={0}
          value={retries ?? ''}
          disabled={readOnly}
          error={wrong('retries')}
          onChange={(value) => set('retries', numberOf(value))}
        />
      </Group>
    </>
  );
}

const NEW = '+';
const INSERTED: Kind[] = ['model', 'conditional', 'percentage', 'rate', 'end'];

/** Where it leads; each way to an element that is there, or to a new one put between. */
function Ways({ draft, drafts, problems, readOnly, onChange, onInsert }: Props) {
  const set = (way: number, change: Partial<Draft['ways'][number]>) =>
    onChange({ ...draft, ways: draft.ways.map((one, at) => (at === way ? { ...one, ...change } : one)) });
  const general = problems.find((one) => one.path[0] === 'outputs' && one.path.length < 2)?.message;
  return (
    <Stack gap={6}>
      <Text size="xs" fw={500}>
        Where it leads
      </Text>
      {draft.ways.map(({ label, to }, way) => {
        const name = wayName(draft.kind, label);
        const share = draft.kind === 'percentage' && label !== ELSE;
        return (
          <Group key={way} gap={6} align="flex-start" wrap="nowrap">
            {share ? (
              <NumberInput
                aria-label={`Share ${way + 1}`}
                w={128}
                suffix=" %"
                min={0}
                max={100}
                decimalScale={6}
                value={label.replace(/%$/, '')}
                disabled={readOnly}
                onChange={(value) => set(way, { label: `${value}%` })}
              />
            ) : (
              <Text size="sm" w={128} flex="none" pt={5}>
                {name}
              </Text>
            )}
            <Select
              aria-label={share ? `Share ${way + 1} leads to` : `${name} leads to`}
              flex={1}
              placeholder="choose an element"
              data={targets(draft, drafts, label)}
              value={to}
              disabled={readOnly}
              error={about(problems, 'outputs', label)}
              onChange={(value) => (value?.startsWith(NEW) ? onInsert(way, value.slice(1) as Kind) : set(way, { to: value }))}
            />
            {draft.kind === 'percentage' && !readOnly && (
              <ActionIcon
                mt={2}
                aria-label={share ? `Remove share ${way + 1}` : 'Remove else'}
                disabled={draft.ways.length < 2}
                onClick={() => onChange({ ...draft, ways: draft.ways.filter((_, at) => at !== way) })}
              >
                <IconTrash size={16} />
              </ActionIcon>
            )}
          </Group>
        );
      })}
      {general && (
        <Text size="xs" c="red" role="alert">
          {general}
        </Text>
      )}
      {draft.kind === 'percentage' && !readOnly && <MoreShares draft={draft} onChange={onChange} />}
    </Stack>
  );
}

function MoreShares({ draft, onChange }: { draft: Draft; onChange: (draft: Draft) => void }) {
  const shares = draft.ways.filter((one) => one.label !== ELSE);
  const last = draft.ways.at(-1)?.to ?? null;
  const rest = draft.ways.filter((one) => one.label === ELSE);
  const left = Math.max(0, 100 - shares.reduce((sum, one) => sum + (Number.parseFloat(one.label) || 0), 0));
  return (
    <Group gap="xs">
      {shares.length < 5 && (
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlus size={12} />}
          onClick={() => onChange({ ...draft, ways: [...shares, { label: `${Math.min(10, left) || 1}%`, to: last }, ...rest] })}
        >
          Share
        </Button>
      )}
      {rest.length === 0 && (
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlus size={12} />}
          onClick={() => onChange({ ...draft, ways: [...draft.ways, { label: ELSE, to: last }] })}
        >
          Else
        </Button>
      )}
      <Text size="xs" c="dimmed" className="figures">
        {Number(left.toFixed(6))} % {rest.length > 0 ? 'goes to else' : 'left'}
      </Text>
    </Group>
  );
}

function targets(draft: Draft, drafts: Draft[], label: string) {
  const onlyEnds = draft.kind === 'model' && label === 'success';
  const fitting = drafts.filter((one) => one.key !== draft.key && one.kind !== 'start' && (!onlyEnds || one.kind === 'end'));
  return [
    { group: 'Elements', items: fitting.map((one) => ({ value: one.key, label: one.id || '(without id)' })) },
    {
      group: 'New, in between',
      items: INSERTED.filter((kind) => !onlyEnds || kind === 'end').map((kind) => ({
        value: NEW + kind,
        label: `New: ${KINDS[kind].toLowerCase()}`,
      })),
    },
  ];
}
