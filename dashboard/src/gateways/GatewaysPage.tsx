import { Anchor, Badge, Button, Card, Group, Modal, Stack, Table, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { ApiError } from '../api/client';
import { type Figures, useGatewayFigures } from '../api/analytics';
import { PLAIN, useCreateGateway, useGateways } from '../api/gateways';
import type { Gateway } from '../api/types';
import { ago, count, dollars, fullMoment, milliseconds, UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';

/** All gateways; where there is none, how to begin. */
export function GatewaysPage() {
  const gateways = useGateways();
  const figures = useGatewayFigures(24);
  const totals = new Map(figures.data?.series.filter((one) => !one.other).map((one) => [one.group, one.totals]));
  const [opened, { open, close }] = useDisclosure();
  const mayWrite = useMay('Write');
  if (gateways.isPending) return <Loading />;
  if (gateways.isError) return <Failed problem={gateways.error} retry={() => void gateways.refetch()} />;
  const { items, info } = gateways.data;
  if (items.length === 0) return <FirstGateway mayWrite={mayWrite} />;
  return (
    <Page
      title="Gateways"
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={14} />} onClick={open}>
            New gateway
          </Button>
        )
      }
    >
      <Card padding={0}>
        <Table.ScrollContainer minWidth={760} type="native">
          <Table className="rows" highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Gateway</Table.Th>
                <Table.Th className="end">Requests, 24 h</Table.Th>
                <Table.Th className="end">Errors</Table.Th>
                <Table.Th className="end">Cost</Table.Th>
                <Table.Th className="end">Median</Table.Th>
                <Table.Th>Settings</Table.Th>
                <Table.Th>Created</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((gateway) => (
                <GatewayRow key={gateway.id} gateway={gateway} figures={totals.get(gateway.id)} known={figures.isSuccess} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Card>
      {info.total_count !== null && info.total_count > items.length && (
        <Text size="xs" c="dimmed" mt="xs">
          The newest {items.length} of {info.total_count}; the others are found in the list on the left of any gateway's page.
        </Text>
      )}
      <Modal opened={opened} onClose={close} title="New gateway">
        <NewGatewayForm />
      </Modal>
    </Page>
  );
}

function GatewayRow({ gateway, figures, known }: { gateway: Gateway; figures?: Figures; known: boolean }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} href={`/gateways/${encodeURIComponent(gateway.id)}/overview`} fw={600} size="sm">
          {gateway.id}
        </Anchor>
      </Table.Td>
      <Table.Td className="end figures">{known ? count(figures?.requests ?? 0) : UNKNOWN}</Table.Td>
      <Table.Td className="end figures">{figures ? count(figures.errors) : UNKNOWN}</Table.Td>
      <Table.Td
        className="end figures"
        title={figures?.cost_unknown ? `and ${count(figures.cost_unknown)} requests of unknown cost` : undefined}
      >
        {figures ? `${dollars(figures.cost)}${figures.cost_unknown > 0 ? ' + ?' : ''}` : UNKNOWN}
      </Table.Td>
      <Table.Td className="end figures">{milliseconds(figures?.duration.p50)}</Table.Td>
      <Table.Td>
        <Group gap={4}>
          <Badge color={gateway.authentication ? 'gauge' : 'gray'}>{gateway.authentication ? 'needs a token' : 'open'}</Badge>
          {!gateway.collect_logs && <Badge color="yellow">keeps no logs</Badge>}
          {gateway.cache_ttl > 0 && <Badge color="gray">cache {gateway.cache_ttl} s</Badge>}
        </Group>
      </Table.Td>
      <Table.Td title={fullMoment(gateway.created_at)}>{ago(gateway.created_at)}</Table.Td>
    </Table.Tr>
  );
}

function FirstGateway({ mayWrite }: { mayWrite: boolean }) {
  return (
    <Page title="Welcome">
      <Card maw={640}>
        <Stack>
          <Text size="sm">
            A gateway is an address that your application sends its model requests to instead of the provider's. It passes them on as they
            are, and keeps a log of each: what was asked and answered, how long it took, what it cost.
          </Text>
          {mayWrite ? (
            <>
              <Text size="sm">Name the first one; next come the three lines of code that point a client at it.</Text>
              <NewGatewayForm />
            </>
          ) : (
            <Empty title="There is no gateway yet">Your token may not make one. Sign in with a token that has the permission Write.</Empty>
          )}
        </Stack>
      </Card>
    </Page>
  );
}

function NewGatewayForm() {
  const [id, setId] = useState('');
  const [, go] = useLocation();
  const create = useCreateGateway();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ id, ...PLAIN }, { onSuccess: () => go(`/gateways/${encodeURIComponent(id)}/logs`) });
  };
  const refused = create.error instanceof ApiError ? create.error.about('id') : undefined;
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Id"
          description="Lower-case letters, digits, - and _; it is part of the address and cannot be changed."
          placeholder="my-gateway"
          required
          maxLength={64}
          pattern="[a-z0-9_]+(-[a-z0-9_]+)*"
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
          error={refused}
          data-autofocus
        />
        {create.isError && !refused && <Failed problem={create.error} />}
        <Group>
          <Button type="submit" loading={create.isPending}>
            Create the gateway
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
