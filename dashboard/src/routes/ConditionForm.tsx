import {
  ActionIcon,
  Alert,
  Autocomplete,
  Button,
  Group,
  JsonInput,
  SegmentedControl,
  Select,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import {
  aboutNode,
  type Group as ConditionGroup,
  isAll,
  type Join,
  LISTS,
  type Node,
  newGroup,
  newRow,
  type Operator,
  OPERATORS,
  ORDERS,
  type Row,
  replaced,
  type Test,
  type Typed,
  toConditions,
  toForm,
  UNFINISHED,
  withOperator,
} from './conditions';
import { about, conditionsInWords, type Draft, type Problem, parsed } from './elements';

interface Props {
  draft: Draft;
  problems: Problem[];
  readOnly: boolean;
  onChange: (conditions: string) => void;
}

/** A conditional's conditions, as rows and groups or as the JSON that they are. */
export function ConditionForm({ draft, problems, readOnly, onChange }: Props) {
  const text = draft.conditions ?? '';
  const [form, setForm] = useState(() => toForm(parsed(text)));
  const [asJson, setAsJson] = useState(form === null);
  const [seen, setSeen] = useState(text);
  if (text !== seen) {
    // changed from elsewhere, as undoing does
    setSeen(text);
    setForm(toForm(parsed(text)));
  }
  const edit = (changed: ConditionGroup) => {
    const written = JSON.stringify(toConditions(changed).conditions, null, 2);
    setForm(changed);
    setSeen(written);
    onChange(written);
  };
  const places = form === null ? null : toConditions(form).places;
  return (
    <Stack gap={6} component="section" aria-label="Conditions of the element">
      <Group justify="space-between" gap="xs">
        <Text size="xs" fw={500}>
          It goes to “yes” where all of this holds
        </Text>
        <SegmentedControl
          aria-label="Conditions are shown as"
          data={['Form', 'JSON']}
          value={asJson ? 'JSON' : 'Form'}
          onChange={(value) => setAsJson(value === 'JSON')}
        />
      </Group>
      {asJson ? (
        <JsonInput
          label="Conditions"
          description={inWords(text)}
          placeholder='{"metadata.plan": {"$in": ["pro", "team"]}}'
          autosize
          minRows={4}
          maxRows={16}
          size="xs"
          value={text}
          disabled={readOnly}
          error={about(problems, 'properties')}
          validationError="This is not JSON"
          onChange={onChange}
        />
      ) : form === null || places === null ? (
        <Alert color="yellow" variant="light" title="This is no form">
          <Text size="sm">It is not JSON, no object, or more than a form can show. As JSON it can be changed.</Text>
        </Alert>
      ) : (
        <>
          <Members group={form} edit={edit} form={form} wrong={(node) => aboutNode(problems, node, places)} readOnly={readOnly} label="" />
          <Unplaced problems={problems} form={form} places={places} />
          <Text size="xs" c="dimmed" className="logged prose">
            {inWords(text)}
          </Text>
        </>
      )}
    </Stack>
  );
}

function inWords(text: string): string {
  const found = parsed(text);
  return found === undefined ? 'JSON, such as {"metadata.plan": "pro"}.' : `It goes to “yes” where ${conditionsInWords(found)}.`;
}

/** What the server says of the conditions, and of no node that is shown. */
function Unplaced({ problems, form, places }: { problems: Problem[]; form: ConditionGroup; places: Map<string, string[]> }) {
  const nodes = [form, ...within(form)];
  const placed = new Set(nodes.map((node) => aboutNode(problems, node, places)));
  const rest = problems.filter((one) => one.path[0] === 'properties' && one.path[1] === 'conditions' && !placed.has(one.message));
  const own = aboutNode(problems, form, places);
  return [...(own === undefined ? [] : [own]), ...rest.map((one) => one.message)].map((message) => (
    <Text key={message} size="xs" c="red" role="alert">
      {message}
    </Text>
  ));
}

function within(group: ConditionGroup): Node[] {
  return group.members.flatMap((one) => (one.kind === 'group' ? [one, ...within(one)] : [one]));
}

interface Inner {
  form: ConditionGroup;
  edit: (form: ConditionGroup) => void;
  wrong: (node: Node) => string | undefined;
  readOnly: boolean;
}

/** What is in a group, and what can be put into it. `label` says which group it is, for those who cannot see it. */
function Members({ group, label, ...inner }: Inner & { group: ConditionGroup; label: string }) {
  const { form, edit, readOnly } = inner;
  const add = (node: Node) => {
    const grown = { ...group, members: [...group.members, node] };
    edit(group.key === form.key ? grown : replaced(form, group.key, grown));
  };
  return (
    <Stack gap={6}>
      {group.members.map((node, index) => {
        const place = `${label}${index + 1}`;
        if (node.kind === 'row') return <RowFields key={node.key} row={node} place={place} {...inner} />;
        if (node.kind === 'json') return <TypedFields key={node.key} typed={node} place={place} {...inner} />;
        return <GroupFields key={node.key} group={node} place={place} {...inner} />;
      })}
      {!readOnly && (
        <Group gap="xs">
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconPlus size={12} />}
            aria-label={label === '' ? 'Add a condition' : `Add a condition to ${label.slice(0, -1)}`}
            onClick={() => add(newRow())}
          >
            Condition
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconPlus size={12} />}
            aria-label={label === '' ? 'Add a group' : `Add a group to ${label.slice(0, -1)}`}
            onClick={() => add(newGroup('$or'))}
          >
            Group
          </Button>
        </Group>
      )}
    </Stack>
  );
}

const JOINS: { value: Join; label: string }[] = [
  { value: '$and', label: 'all of these hold' },
  { value: '$or', label: 'one of these holds' },
  { value: '$not', label: 'not all of these hold' },
];

function GroupFields({ group, place, ...inner }: Inner & { group: ConditionGroup; place: string }) {
  const { form, edit, wrong, readOnly } = inner;
  return (
    <fieldset className="condition-group" aria-label={`Group ${place}`}>
      <Group gap="xs" wrap="nowrap" mb={6}>
        <Select
          aria-label={`Group ${place} holds where`}
          flex={1}
          data={JOINS}
          value={group.join === 'all' ? '$and' : group.join}
          disabled={readOnly}
          error={wrong(group)}
          onChange={(join) => edit(replaced(form, group.key, { ...group, join: join as Join }))}
        />
        {!readOnly && <Remove what={`group ${place}`} onRemove={() => edit(replaced(form, group.key, null))} />}
      </Group>
      <Members group={group} label={`${place}.`} {...inner} />
    </fieldset>
  );
}

function Remove({ what, onRemove }: { what: string; onRemove: () => void }) {
  return (
    <ActionIcon aria-label={`Remove ${what}`} onClick={onRemove} mt={2}>
      <IconTrash size={16} />
    </ActionIcon>
  );
}

const ROOTS = ['metadata.', 'headers.', 'body.model', 'body.stream', 'body.max_tokens', 'body.messages.0.content'];
const WORDS: Record<Operator, string> = {
  $eq: 'is',
  $ne: 'is not',
  $in: 'is one of',
  $nin: 'is none of',
  $gt: 'is more than',
  $gte: 'is at least',
  $lt: 'is less than',
  $lte: 'is at most',
  $exists: 'is there',
  $regex: 'matches',
};

function RowFields({ row, place, form, edit, wrong, readOnly }: Inner & { row: Row; place: string }) {
  const set = (change: Partial<Row>) => edit(replaced(form, row.key, { ...row, ...change }));
  const free = OPERATORS.filter((one) => row.tests.every(({ operator }) => operator !== one));
  const problem = wrong(row);
  return (
    <fieldset className="plain" aria-label={`Condition ${place}`}>
      <Group gap={6} align="flex-start" className="condition">
        <Autocomplete
          size="xs"
          aria-label={`Value ${place}`}
          className="condition-path"
          placeholder="metadata.plan"
          maxLength={256}
          data={ROOTS}
          value={row.path}
          disabled={readOnly}
          error={problem !== undefined}
          onChange={(path) => set({ path })}
        />
        <Stack gap={6} miw={0} className="condition-tests">
          {row.tests.map((test, index) => (
            <TestFields
              key={test.operator}
              test={test}
              place={index === 0 ? place : `${place}, ${index + 1}`}
              operators={[test.operator, ...free]}
              readOnly={readOnly}
              onChange={(changed) =>
                set({ tests: row.tests.map((one, at) => (at === index ? changed : one)), bare: row.bare && changed.operator === '$eq' })
              }
              onRemove={row.tests.length > 1 ? () => set({ tests: row.tests.filter((_, at) => at !== index) }) : undefined}
            />
          ))}
        </Stack>
        {!readOnly && (
          <Group gap={0} wrap="nowrap">
            <ActionIcon
              mt={2}
              aria-label={`Ask more of value ${place}`}
              title="Ask more of this value"
              disabled={free.length === 0}
              onClick={() =>
                set({
                  tests: [
                    ...row.tests,
                    withOperator({ operator: '$eq', operand: '' }, free.includes('$lt') ? '$lt' : (free[0] as Operator)),
                  ],
                  bare: false,
                })
              }
            >
              <IconPlus size={16} />
            </ActionIcon>
            <Remove what={`condition ${place}`} onRemove={() => edit(replaced(form, row.key, null))} />
          </Group>
        )}
      </Group>
      {problem !== undefined && (
        <Text size="xs" c="red" role="alert">
          {problem}
        </Text>
      )}
    </fieldset>
  );
}

interface TestProps {
  test: Test;
  place: string;
  operators: Operator[];
  readOnly: boolean;
  onChange: (test: Test) => void;
  onRemove?: () => void;
}

function TestFields({ test, place, operators, readOnly, onChange, onRemove }: TestProps) {
  const sorted = OPERATORS.filter((one) => operators.includes(one));
  return (
    <Group gap={6} align="flex-start" className="condition-test">
      <Select
        aria-label={`Operator ${place}`}
        w={128}
        data={sorted.map((one) => ({ value: one, label: WORDS[one] }))}
        value={test.operator}
        disabled={readOnly}
        onChange={(operator) => onChange(withOperator(test, operator as Operator))}
      />
      {LISTS.includes(test.operator) ? (
        <ListField test={test} place={place} readOnly={readOnly} onChange={onChange} />
      ) : (
        <OperandField test={test} place={place} readOnly={readOnly} onChange={onChange} />
      )}
      {onRemove && !readOnly && <Remove what={`the operator ${place}`} onRemove={onRemove} />}
    </Group>
  );
}

type Sort = 'text' | 'number' | 'true' | 'false' | 'null';

function sortOf(operand: unknown): Sort {
  if (operand === null) return 'null';
  if (typeof operand === 'boolean') return operand ? 'true' : 'false';
  return typeof operand === 'string' ? 'text' : 'number';
}

const EMPTY: Record<Sort, unknown> = { text: '', number: UNFINISHED, true: true, false: false, null: null };

/** What the value is compared with: a text, a number, or one of the words that JSON has. */
function OperandField({ test, place, readOnly, onChange }: Omit<TestProps, 'operators' | 'onRemove'>) {
  const { operator, operand } = test;
  const set = (next: unknown) => onChange({ operator, operand: next });
  const sort = sortOf(operand);
  if (operator === '$exists') {
    const data = [
      { value: 'true', label: 'yes' },
      { value: 'false', label: 'no' },
    ];
    return (
      <Select
        aria-label={`Operand ${place}`}
        w={92}
        data={data}
        value={String(operand)}
        disabled={readOnly}
        onChange={(value) => set(value === 'true')}
      />
    );
  }
  const sorts: Sort[] =
    operator === '$regex' ? ['text'] : ORDERS.includes(operator) ? ['text', 'number'] : ['text', 'number', 'true', 'false', 'null'];
  const choose = (next: Sort) =>
    set(next === 'number' ? numberFrom(String(operand)) : next === 'text' && typeof operand === 'number' ? String(operand) : EMPTY[next]);
  return (
    <>
      {sorts.length > 1 && (
        <Select
          aria-label={`Kind of operand ${place}`}
          w={92}
          data={sorts}
          value={sort}
          disabled={readOnly}
          onChange={(next) => choose(next as Sort)}
        />
      )}
      {sort === 'text' && (
        <TextInput
          aria-label={`Operand ${place}`}
          flex={1}
          miw={120}
          placeholder={operator === '$regex' ? 'a regular expression (RE2)' : 'a text'}
          value={String(operand)}
          disabled={readOnly}
          onChange={(event) => set(event.currentTarget.value)}
        />
      )}
      {sort === 'number' && <NumberField key={operator} operand={operand} place={place} readOnly={readOnly} onChange={set} />}
    </>
  );
}

/** A number from what is typed; unfinished while that is none, or none that can be kept exactly. */
function numberFrom(text: string): unknown {
  const isNumber = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text.trim());
  const exact = !/^-?\d{16,}$/.test(text.trim()) || Number.isSafeInteger(Number(text));
  return isNumber && exact && Number.isFinite(Number(text)) ? Number(text) : UNFINISHED;
}

function NumberField({
  operand,
  place,
  readOnly,
  onChange,
}: {
  operand: unknown;
  place: string;
  readOnly: boolean;
  onChange: (operand: unknown) => void;
}) {
  const [typed, setTyped] = useState(typeof operand === 'number' ? String(operand) : '');
  const type = (text: string) => {
    setTyped(text);
    onChange(numberFrom(text));
  };
  return (
    <TextInput
      aria-label={`Operand ${place}`}
      flex={1}
      miw={90}
      inputMode="decimal"
      placeholder="10"
      value={typed}
      disabled={readOnly}
      error={typeof operand === 'number' ? undefined : 'A number is missing'}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}

/** The values of a list, of one kind; each ends with Enter, so that a value may hold a comma. */
function ListField({ test, place, readOnly, onChange }: Omit<TestProps, 'operators' | 'onRemove'>) {
  const values = Array.isArray(test.operand) ? test.operand : [];
  const [ofNumbers, setOfNumbers] = useState(values.length > 0 && isAll(values, 'number'));
  const keep = (texts: string[], numbers: boolean) => {
    const kept = numbers ? texts.map(numberFrom).filter((one) => one !== UNFINISHED) : texts;
    onChange({ operator: test.operator, operand: kept });
  };
  const choose = (numbers: boolean) => {
    setOfNumbers(numbers);
    keep(values.map(String), numbers);
  };
  return (
    <>
      <Select
        aria-label={`Kind of operand ${place}`}
        w={92}
        data={['texts', 'numbers']}
        value={ofNumbers ? 'numbers' : 'texts'}
        disabled={readOnly}
        onChange={(kind) => choose(kind === 'numbers')}
      />
      <TagsInput
        aria-label={`Operand ${place}`}
        flex={1}
        miw={140}
        allowDuplicates
        splitChars={[]}
        acceptValueOnBlur
        placeholder={values.length === 0 ? 'a value, then Enter' : undefined}
        value={values.map(String)}
        disabled={readOnly}
        onChange={(texts) => keep(texts, ofNumbers)}
      />
    </>
  );
}

/** An entry that the fields cannot show, as it is. */
function TypedFields({ typed, place, form, edit, wrong, readOnly }: Inner & { typed: Typed; place: string }) {
  const [text, setText] = useState(() => JSON.stringify(typed.value, null, 1));
  const change = (next: string) => {
    setText(next);
    edit(replaced(form, typed.key, { ...typed, value: parsed(next) }));
  };
  const label = typed.name.startsWith('$') ? `${typed.name}, as JSON` : `What is asked of ${typed.name}, as JSON`;
  return (
    <Group component="fieldset" className="plain" gap={6} wrap="nowrap" align="flex-start" aria-label={`Condition ${place}`}>
      <JsonInput
        label={<span className="logged prose">{label}</span>}
        size="xs"
        flex={1}
        autosize
        maxRows={8}
        value={text}
        disabled={readOnly}
        validationError="This is not JSON"
        error={parsed(text) === undefined ? 'This is not JSON' : wrong(typed)}
        onChange={change}
      />
      {!readOnly && <Remove what={`condition ${place}`} onRemove={() => edit(replaced(form, typed.key, null))} />}
    </Group>
  );
}
