import { Button, Group, NumberInput, Pill, Popover, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { IconFilterPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import type { Criterion, Filter, Scalar } from '../api/types';
import { ENTRY, KEYS, kindOf, operatorLabel, operatorsOf, worded } from './filter-keys';

const SPANS: [string, number][] = [
  ['Last hour', 1],
  ['Last 24 hours', 24],
  ['Last 7 days', 168],
];

interface Props {
  filters: Criterion[];
  onChange: (filters: Criterion[]) => void;
  forDataset?: boolean;
}

/** The filters as chips, and how to add one. All of them must match. */
export function FilterBar({ filters, onChange, forDataset = false }: Props) {
  const [opened, setOpened] = useState(false);
  const add = (filter: Filter) => {
    onChange([...filters, filter]);
    setOpened(false);
  };
  return (
    <Group gap={6} role="group" aria-label="Filters">
      {filters.map((filter, index) => (
        <Pill
          key={`${index} ${JSON.stringify(filter)}`}
          size="sm"
          title={worded(filter)}
          withRemoveButton
          onRemove={() => onChange(filters.filter((_, other) => other !== index))}
          removeButtonProps={{ 'aria-label': `Remove the filter: ${worded(filter)}`, 'aria-hidden': false, tabIndex: 0 }}
        >
          {worded(filter)}
        </Pill>
      ))}
      <Popover opened={opened} onChange={setOpened} position="bottom-start" withinPortal trapFocus width={300}>
        <Popover.Target>
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<IconFilterPlus size={13} />}
            onClick={() => setOpened(!opened)}
            aria-expanded={opened}
          >
            Filter
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <FilterForm onAdd={add} forDataset={forDataset} />
        </Popover.Dropdown>
      </Popover>
      {filters.length > 1 && (
        <Button variant="subtle" size="compact-xs" color="gray" onClick={() => onChange([])}>
          Clear
        </Button>
      )}
    </Group>
  );
}

function FilterForm({ onAdd, forDataset }: { onAdd: (filter: Filter) => void; forDataset: boolean }) {
  const [key, setKey] = useState('model');
  const [operator, setOperator] = useState('eq');
  const [values, setValues] = useState<Scalar[]>([]);
  const [entry, setEntry] = useState('');
  const operators = operatorsOf(key);
  const complete = values.length > 0 && (key !== ENTRY || entry !== '');
  const offered = KEYS.filter((one) => one.inDatasets || !forDataset).map((one) => ({ value: one.key, label: one.label }));
  const choose = (next: string | null) => {
    if (next === null) return;
    setKey(next);
    setValues([]);
    if (!operatorsOf(next).includes(operator)) setOperator(operatorsOf(next)[0] ?? 'eq');
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete) onAdd({ key: key === ENTRY ? ENTRY + entry : key, operator, value: values });
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
          data={operators.map((one) => ({ value: one, label: operatorLabel(key, one) }))}
          value={operator}
          onChange={(next) => next && setOperator(next)}
          comboboxProps={{ withinPortal: false }}
        />
        <Values kind={kindOf(key)} operator={operator} values={values} onChange={setValues} />
        {kindOf(key) === 'time' && operator === 'gt' && (
          <Group gap={4}>
            {SPANS.map(([label, hours]) => (
              <Button key={label} size="compact-xs" variant="default" onClick={() => onAdd({ key, operator, value: [hoursAgo(hours)] })}>
                {label}
              </Button>
            ))}
          </Group>
        )}
        <Button type="submit" disabled={!complete}>
          Add the filter
        </Button>
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
