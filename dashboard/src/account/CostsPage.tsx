import { ActionIcon, Badge, Button, Card, Code, Group, Modal, Pagination, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useProviders } from '../api/account';
import { type CostRule, useCostRules, useDeleteRule } from '../api/costs';
import { fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { CostForm } from './CostForm';
import { pricesInWords } from './prices';

export const RULES: Record<CostRule['model_rule'], string> = { equals: 'is', 'starts-with': 'starts with', contains: 'contains' };

/** Prices of the account's own, before the public ones. */
export default function CostsPage() {
  const [page, setPage] = useState(1);
  const [edited, setEdited] = useState<CostRule | 'new' | null>(null);
  const [leaving, setLeaving] = useState<CostRule | null>(null);
  const rules = useCostRules(page);
  const mayWrite = useMay('Write');
  const total = rules.data?.info.total_count ?? 0;
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
      <Card padding={0}>
        {rules.isPending && <Loading />}
        {rules.isError && <Failed problem={rules.error} retry={() => void rules.refetch()} />}
        {rules.data?.items.length === 0 && (
          <Empty title="There is no cost rule yet">
            Every cost is by the public prices, or by what the provider itself says. Models of custom providers have none.
          </Empty>
        )}
        {rules.data && rules.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={820} type="native">
            <Table className="rows" aria-label="Cost rules">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Provider</Table.Th>
                  <Table.Th>Model</Table.Th>
                  <Table.Th>Dollars</Table.Th>
                  <Table.Th>Holds</Table.Th>
                  <Table.Th className="end">Weight</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rules.data.items.map((rule) => (
                  <RuleRow
                    key={rule.id}
                    rule={rule}
                    onEdit={mayWrite ? () => setEdited(rule) : undefined}
                    onDelete={() => setLeaving(rule)}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > 50 && <Pagination mt="sm" size="sm" total={Math.ceil(total / 50)} value={page} onChange={setPage} />}
      {edited !== null && <CostForm rule={edited === 'new' ? undefined : edited} onClose={() => setEdited(null)} />}
      {leaving !== null && <DeleteRule rule={leaving} onClose={() => setLeaving(null)} />}
    </Page>
  );
}

function RuleRow({ rule, onEdit, onDelete }: { rule: CostRule; onEdit?: () => void; onDelete: () => void }) {
  const providers = useProviders();
  const custom = providers.data?.items.find((one) => one.id === rule.account_provider_id);
  const name = rule.provider ?? (custom ? `custom-${custom.slug}` : (rule.account_provider_id ?? ''));
  const times = [rule.valid_from && `from ${fullMoment(rule.valid_from)}`, rule.valid_until && `until ${fullMoment(rule.valid_until)}`]
    .filter(Boolean)
    .join(' ');
  return (
    <Table.Tr>
      <Table.Td>
        <Code>{name}</Code>
      </Table.Td>
      <Table.Td>
        <Text size="sm" component="span" c="dimmed">
          {RULES[rule.model_rule]}{' '}
        </Text>
        <Text size="sm" component="span" fw={600}>
          {rule.model}
        </Text>
      </Table.Td>
      <Table.Td className="figures" style={{ whiteSpace: 'normal' }} miw={220}>
        {pricesInWords(rule.token_pricing)}
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {rule.enable ? null : <Badge color="gray">off</Badge>}
          <Text size="sm">
            {rule.gateway_id ? `for ${rule.gateway_id}` : 'everywhere'}
            {times && `, ${times}`}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td className="end figures">{rule.weight}</Table.Td>
      <Table.Td className="end">
        {onEdit && (
          <Group gap={2} justify="flex-end" wrap="nowrap">
            <Tooltip label="Change">
              <ActionIcon aria-label={`Change the rule for ${rule.model}`} onClick={onEdit}>
                <IconPencil size={16} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Delete">
              <ActionIcon aria-label={`Delete the rule for ${rule.model}`} onClick={onDelete}>
                <IconTrash size={16} />
              </ActionIcon>
            </Tooltip>
          </Group>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function DeleteRule({ rule, onClose }: { rule: CostRule; onClose: () => void }) {
  const remove = useDeleteRule();
  return (
    <Modal opened onClose={onClose} title="Delete the cost rule?">
      <Stack>
        <Text size="sm">
          Requests for models that it priced get the next price that applies, or none that is known. Costs of logs that are there stay.
        </Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(rule.id, { onSuccess: onClose })}>
            Delete
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
