import { Badge, Box, Button, Code, Group, Text } from '@mantine/core';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useProviders } from '../api/account';
import { type CostRule, useCostRules, useDeleteRule } from '../api/costs';
import { Confirm } from '../parts/Confirm';
import { fullMoment } from '../parts/format';
import { Action, type Column, Delete, List } from '../parts/List';
import { Empty } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { CostForm } from './CostForm';
import { pricesInWords } from './prices';

const RULES: Record<CostRule['model_rule'], string> = { equals: 'is', 'starts-with': 'starts with', contains: 'contains' };

/** Prices of the account's own, before the public ones. */
export default function CostsPage() {
  const [page, setPage] = useState(1);
  const [edited, setEdited] = useState<CostRule | 'new' | null>(null);
  const [leaving, setLeaving] = useState<CostRule | null>(null);
  const rules = useCostRules(page);
  const remove = useDeleteRule();
  const mayWrite = useMay('Write');
  const actions = (rule: CostRule) => (
    <>
      <Action label="Change" of={`the rule for ${rule.model}`} icon={<IconPencil size={16} />} onClick={() => setEdited(rule)} />
      <Delete of={`the rule for ${rule.model}`} onClick={() => setLeaving(rule)} />
    </>
  );
  return (
    <Page
      title="Cost rules"
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={14} />} onClick={() => setEdited('new')}>
            New rule
          </Button>
        )
      }
    >
      <Text size="sm" c="dimmed" mb="xs" maw={860}>
        A custom provider has no public price: a rule gives it one. A rule can also take the place of a built-in provider's public prices,
        say for a discount. It holds for requests from then on; logs keep the cost that they have. Of several that match, a gateway's own
        comes first, then the heaviest, then the closest.
      </Text>
      <List
        label="Cost rules"
        query={rules}
        columns={COLUMNS}
        actions={mayWrite ? actions : undefined}
        onPage={setPage}
        minWidth={820}
        empty={
          <Empty title="There is no cost rule yet">
            Every cost is by the public prices, or by what the provider itself says. Models of custom providers have none.
          </Empty>
        }
      />
      {edited !== null && <CostForm rule={edited === 'new' ? undefined : edited} onClose={() => setEdited(null)} />}
      {leaving !== null && (
        <Confirm title="Delete the cost rule?" change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          Requests for models that it priced get the next price that applies, or none that is known. Costs of logs that are there stay.
        </Confirm>
      )}
    </Page>
  );
}

const COLUMNS: Column<CostRule>[] = [
  { label: 'Provider', show: (rule) => <Provider rule={rule} /> },
  {
    label: 'Model',
    show: ({ model, model_rule }) => (
      <Text size="sm" component="span">
        <Text inherit component="span" c="dimmed">
          {RULES[model_rule]}{' '}
        </Text>
        <b>{model}</b>
      </Text>
    ),
  },
  { label: 'Dollars', wraps: true, show: ({ token_pricing }) => <Box miw={220}>{pricesInWords(token_pricing)}</Box> },
  { label: 'Holds', show: (rule) => <Holds rule={rule} /> },
  { label: 'Weight', end: true, show: ({ weight }) => weight },
];

function Provider({ rule }: { rule: CostRule }) {
  const providers = useProviders();
  const custom = providers.data?.items.find((one) => one.id === rule.account_provider_id);
  return <Code>{rule.provider ?? (custom ? `custom-${custom.slug}` : rule.account_provider_id)}</Code>;
}

function Holds({ rule }: { rule: CostRule }) {
  const times = [rule.valid_from && `from ${fullMoment(rule.valid_from)}`, rule.valid_until && `until ${fullMoment(rule.valid_until)}`]
    .filter(Boolean)
    .join(' ');
  return (
    <Group gap={4}>
      {rule.enable ? null : <Badge color="gray">off</Badge>}
      <Text size="sm">
        {rule.gateway_id ? `for ${rule.gateway_id}` : 'everywhere'}
        {times && `, ${times}`}
      </Text>
    </Group>
  );
}
