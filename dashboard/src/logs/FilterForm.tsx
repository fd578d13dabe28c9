import { Button, Group, NumberInput, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Filter, Scalar } from '../api/types';
import { ENTRY, KEYS, kindOf, operatorLabel, operatorsOf } from './filter-keys';

const SPANS: [string, number][] = [
  ['Last hour', 1],
  ['Last 24 hours', 24],
  ['Last 7 days', 168],
];

interface Props {
  /** What is changed; without it a new one is made. It is one that `isFormable`. */
  filter?: Filter;
  onDone: (filter: Filter) => void;
  /** Puts it into a group of its own. */
  onGroup?: () => void;
  forDataset: boolean;
}

/** One filter: what, how, and with which values. What is not touched stays as it is. */
export function FilterForm({ filter, onDone, onGroup, forDataset }: Props) {
  const given = filter?.key ?? 'model';
  const isEntry = given.startsWith(ENTRY) && !KEYS.some((one) => one.key === given);
  const [key, setKey] = useState(isEntry ? ENTRY : given);
  const [entry, setEntry] = useState(isEntry ? given.slice(ENTRY.length) : '');
  const [operator, setOperator] = useState(filter?.operator ?? 'eq');
  const [values, setValues] = useState<Scalar[]>(filter?.value ?? []);
  const operators = operatorsOf(key);
  const complete = values.length > 0 && (key !== ENTRY || entry !== '');
  const offered = KEYS.filter((one) => one.inDatasets || !forDataset).map((one) => ({ value: one.key, label: one.label }));
  const choose = (next: string | null) => {
    if (next === null) return;
    if (kindOf(next) !== kindOf(key)) setValues([]);
    setKey(next);
    if (!operatorsOf(next).includes(operator)) setOperator(operatorsOf(next)[0] ?? 'eq');
  };
  const ask = (next: string) => {
    setOperator(next);
    if (['gt', 'lt'].includes(next)) setValues(values.slice(0, 1)); // more than, less than one value
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation(); // it may stand in another form, which is not sent by this
    if (complete) onDone({ ...filter, key: key === ENTRY ? ENTRY + entry : key, operator, value: values });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <Select
          label="What"
          data={[...offered, { value: ENTRY, label: 'Metadata entry …' }]}
          value={key}
          onChange={choose}
          searchable
          comboboxProps={{ withinPortal: false }}
        />
        {key === ENTRY && (
          <TextInput label="Name of the entry" maxLength={256} value={entry} onChange={(event) => setEntry(event.currentTarget.value)} />
        )}
        <Select
          label="How"
          data-autofocus={filter !== undefined || undefined}
          data={operators.map((one) => ({ value: one, label: operatorLabel(key, one) }))}
          value={operator}
          onChange={(next) => next && ask(next)}
          comboboxProps={{ withinPortal: false }}
        />
        <Values key={kindOf(key)} kind={kindOf(key)} operator={operator} values={values} onChange={setValues} />
        {kindOf(key) === 'time' && operator === 'gt' && (
          <Group gap={4}>
            {SPANS.map(([label, hours]) => (
              <Button key={label} size="compact-xs" variant="default" onClick={() => onDone({ key, operator, value: [hoursAgo(hours)] })}>
                {label}
              </Button>
            ))}
          </Group>
        )}
        <Group gap="xs">
          <Button type="submit" disabled={!complete}>
            {filter ? 'Change the filter' : 'Add the filter'}
          </Button>
          {onGroup && (
            <Button variant="default" onClick={onGroup}>
              Into a group
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

interface ValuesProps {
  kind: ReturnType<typeof kindOf>;
  operator: string;
  values: Scalar[];
  onChange: (values: Scalar[]) => void;
}

function Values({ kind, operator, values, onChange }: ValuesProps) {
  const first = values[0] ?? null;
  if (kind === 'flag') {
    const data = [
      { value: 'true', label: 'yes' },
      { value: 'false', label: 'no' },
    ];
    return (
      <Select
        label="Value"
        data={data}
        value={first === null ? null : String(first)}
        onChange={(next) => onChange([next === 'true'])}
        comboboxProps={{ withinPortal: false }}
      />
    );
  }
  if (kind === 'feedback') {
    const data = [
      { value: '1', label: 'thumbs up' },
      { value: '-1', label: 'thumbs down' },
      { value: '0', label: 'none' },
    ];
    return (
      <Select
        label="Value"
        data={data}
        value={first === null ? null : String(first)}
        onChange={(next) => onChange([Number(next)])}
        comboboxProps={{ withinPortal: false }}
      />
    );
  }
  if (kind === 'number' || kind === 'money') {
    return (
      <NumberInput
        label={kind === 'money' ? 'Dollars' : 'Number'}
        min={0}
        allowDecimal={kind === 'money'}
        decimalScale={kind === 'money' ? 12 : 0}
        value={first === null ? '' : (first as number)}
        onChange={(next) => onChange(next === '' ? [] : [next])}
      />
    );
  }
  if (kind === 'time') {
    return (
      <TextInput
        label="Moment"
        type="datetime-local"
        step={1}
        defaultValue={first === null ? '' : localMoment(String(first))}
        onChange={(event) => {
          const when = new Date(event.currentTarget.value);
          onChange(Number.isNaN(when.getTime()) ? [] : [when.toISOString()]);
        }}
      />
    );
  }
  if (operator === 'gt' || operator === 'lt') {
    return (
      <TextInput
        label="Value"
        value={String(first ?? '')}
        onChange={(event) => onChange(event.currentTarget.value ? [event.currentTarget.value] : [])}
      />
    );
  }
  return (
    <>
      <TagsInput
        label={operator === 'neq' || operator === 'not_contains' ? 'None of' : 'Any of'}
        placeholder="Enter after each"
        value={values.map(String)}
        onChange={(next) => onChange(next)}
        acceptValueOnBlur
        splitChars={[]} // a comma is part of a text
        allowDuplicates // upper and lower case are not the same
        comboboxProps={{ withinPortal: false }}
      />
      {values.length === 0 && (
        <Text size="xs" c="dimmed">
          Type a value and press Enter.
        </Text>
      )}
    </>
  );
}

function hoursAgo(hours: number): string {
  const minute = 60_000;
  return new Date(Math.floor((Date.now() - hours * 3_600_000) / minute) * minute).toISOString();
}

/** A moment as the browser's field for moments takes it: local time. */
function localMoment(text: string): string {
  const when = new Date(text);
  if (Number.isNaN(when.getTime())) return '';
  return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
