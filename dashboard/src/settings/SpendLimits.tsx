import {
  ActionIcon,
  Button,
  Card,
  Group,
  NumberInput,
  Progress,
  Select,
  Stack,
  Switch,
  Table,
  TagsInput,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { components } from '../api/schema';
import { type Budget, useBudgets, useChangeGateway } from '../api/gateways';
import { dollars } from '../parts/format';
import { Failed } from '../parts/States';
import { type FormProps, SavedNote } from './SettingsForm';

type Limits = components['schemas']['SpendLimits'];
type Rule = components['schemas']['SpendRule'];

const WINDOWS = [
  { value: '3600', label: 'hour' },
  { value: '86400', label: 'day' },
  { value: '604800', label: 'week' },
  { value: '2592000', label: '30 days' },
];

/** Budgets: how they stand, and their rules. */
export function SpendLimits({ gateway, names, readOnly, saved, onSaved }: FormProps) {
  const before = (gateway.spend_limits as Limits | null) ?? { enabled: false, rules: [] };
  const [limits, setLimits] = useState(before);
  const change = useChangeGateway(gateway.id, names, onSaved);
  const rules = limits.rules ?? [];
  const setRules = (next: Rule[]) => setLimits({ ...limits, rules: next });
  const unchanged = JSON.stringify(limits) === JSON.stringify(before);
  const add = () => setRules([...rules, { enabled: true, limitType: 'cost', limit: 10, window: 86_400, technique: 'sliding' }]);
  return (
    <Card>
      <Title order={2} mb="xs">
        Spend limits
      </Title>
      <Text size="xs" c="dimmed" mb="xs">
        Before a request goes to a provider, the most it can cost is reserved in every rule that counts it. A request without room in one is
        answered with 429. A model without a known price is refused where a rule counts it.
      </Text>
      <Stack gap="sm">
        <Switch
          label="In force"
          checked={limits.enabled ?? false}
          disabled={readOnly}
          onChange={(event) => setLimits({ ...limits, enabled: event.currentTarget.checked })}
        />
        {before.enabled && (before.rules ?? []).length > 0 && <Standing gateway={gateway.id} />}
        {rules.map((rule, index) => (
          <RuleForm
            key={index}
            rule={rule}
            readOnly={readOnly}
            onChange={(next) => setRules(rules.map((one, at) => (at === index ? next : one)))}
            onRemove={() => setRules(rules.filter((_, at) => at !== index))}
          />
        ))}
        {change.isError && <Failed problem={change.error} />}
        {saved && unchanged && <SavedNote />}
        {!readOnly && (
          <Group>
            <Button variant="default" onClick={add} disabled={rules.length >= 20}>
              Add a rule
            </Button>
            <Button disabled={unchanged} loading={change.isPending} onClick={() => change.mutate({ spend_limits: limits })}>
              Save the spend limits
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

interface RuleProps {
  rule: Rule;
  readOnly: boolean;
  onChange: (rule: Rule) => void;
  onRemove: () => void;
}

function RuleForm({ rule, readOnly, onChange, onRemove }: RuleProps) {
  const windows = WINDOWS.some((one) => one.value === String(rule.window))
    ? WINDOWS
    : [...WINDOWS, { value: String(rule.window), label: `${rule.window} s` }];
  const partitions = Object.entries(rule.metadata ?? {});
  const eachKeys = partitions.filter(([, how]) => how.mode === 'partition').map(([key]) => key);
  const filtered = partitions.filter(([, how]) => how.mode === 'filter');
  const setEach = (keys: string[]) => {
    const metadata = Object.fromEntries([...filtered, ...keys.map((key) => [key, { mode: 'partition' as const }])]);
    onChange({ ...rule, metadata: Object.keys(metadata).length > 0 ? metadata : undefined });
  };
  const only = (values: string[]) => (values.length > 0 ? { mode: 'filter' as const, values } : undefined);
  return (
    <Card padding="xs">
      <Group gap="xs" align="flex-end">
        <TextInput
          label="Rule"
          placeholder="made up"
          w={120}
          value={rule.id ?? ''}
          disabled={readOnly}
          onChange={(event) => onChange({ ...rule, id: event.currentTarget.value || undefined })}
        />
        <NumberInput
          label="Dollars"
          w={100}
          min={0}
          value={rule.limit}
          disabled={readOnly}
          onChange={(value) => onChange({ ...rule, limit: Number(value) })}
        />
        <Select
          label="a"
          w={100}
          data={windows}
          value={String(rule.window)}
          disabled={readOnly}
          onChange={(value) => onChange({ ...rule, window: Number(value) })}
        />
        <Select
          label="Technique"
          w={110}
          data={['sliding', 'fixed']}
          value={rule.technique ?? 'sliding'}
          disabled={readOnly}
          onChange={(value) => onChange({ ...rule, technique: value as Rule['technique'] })}
        />
        <TagsInput
          label="Only these models"
          placeholder={rule.model ? '' : 'all'}
          w={170}
          value={rule.model?.values ?? []}
          disabled={readOnly}
          onChange={(values) => onChange({ ...rule, model: only(values) })}
          acceptValueOnBlur
        />
        <TagsInput
          label="Only these providers"
          placeholder={rule.provider ? '' : 'all'}
          w={160}
          value={rule.provider?.values ?? []}
          disabled={readOnly}
          onChange={(values) => onChange({ ...rule, provider: only(values) })}
          acceptValueOnBlur
        />
        <TagsInput
          label="For each value of metadata"
          placeholder={eachKeys.length > 0 ? '' : 'together'}
          w={180}
          value={eachKeys}
          disabled={readOnly}
          onChange={setEach}
          acceptValueOnBlur
        />
        <Switch
          label="On"
          checked={rule.enabled ?? true}
          disabled={readOnly}
          onChange={(event) => onChange({ ...rule, enabled: event.currentTarget.checked })}
        />
        {!readOnly && (
          <ActionIcon aria-label="Remove the rule" onClick={onRemove}>
            <IconTrash size={16} />
          </ActionIcon>
        )}
      </Group>
      {filtered.length > 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          Only where metadata {filtered.map(([key, how]) => `${key} is ${how.values?.join(' or ')}`).join(' and ')}
        </Text>
      )}
    </Card>
  );
}

function Standing({ gateway }: { gateway: string }) {
  const budgets = useBudgets(gateway, true);
  if (budgets.isError) return <Failed problem={budgets.error} retry={() => void budgets.refetch()} />;
  return (
    <Table aria-label="How the budgets stand">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Budget</Table.Th>
          <Table.Th>Spent</Table.Th>
          <Table.Th>Reserved</Table.Th>
          <Table.Th>Left</Table.Th>
          <Table.Th w={140}>
            <span className="visually-hidden">Share</span>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {(budgets.data?.items ?? []).map((budget) => (
          <Table.Tr key={`${budget.rule_id} ${JSON.stringify(budget.partition)}`}>
            <Table.Td>{nameOf(budget)}</Table.Td>
            <Table.Td className="figures">
              {dollars(budget.spent)} of {dollars(budget.limit)}
            </Table.Td>
            <Table.Td className="figures">{dollars(budget.reserved)}</Table.Td>
            <Table.Td className="figures">{dollars(budget.remaining)}</Table.Td>
            <Table.Td>
              <Progress
                value={(100 * Number(budget.spent)) / Number(budget.limit)}
                size="sm"
                aria-label={`${nameOf(budget)}: share spent`}
              />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function nameOf({ rule_id, partition }: Budget): string {
  const values = Object.entries(partition).map(([key, value]) => `${key} ${value}`);
  return values.length > 0 ? `${rule_id}: ${values.join(', ')}` : rule_id;
}
