import { ActionIcon, Anchor, Badge, Button, Card, Code, Group, Modal, Pagination, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Route, useDeleteRoute, useRoutes } from '../api/routes';
import { CopyIcon } from '../parts/Copy';
import { ago, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';

/** A gateway's dynamic routes. */
export default function RoutesPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [leaving, setLeaving] = useState<Route | null>(null);
  const routes = useRoutes(gateway, page);
  const mayWrite = useMay('Write');
  const base = `/gateways/${encodeURIComponent(gateway)}/routes`;
  const total = routes.data?.total_count ?? 0;
  const create = mayWrite && (
    <Button component={Link} href={`${base}/new`} leftSection={<IconPlus size={14} />}>
      New route
    </Button>
  );
  return (
    <Page title="Dynamic routes" actions={create}>
      <Card padding={0}>
        {routes.isPending && <Loading />}
        {routes.isError && <Failed problem={routes.error} retry={() => void routes.refetch()} />}
        {routes.data?.routes.length === 0 && (
          <Empty title="There is no dynamic route yet">
            A route chooses the model: by what a request says, by chance, by what has passed already, and by what fails. Clients ask for{' '}
            <Code>dynamic/…</Code>, and where that goes is changed here, without changing any client.
          </Empty>
        )}
        {routes.data && routes.data.routes.length > 0 && (
          <Table.ScrollContainer minWidth={640} type="native">
            <Table className="rows" aria-label="Dynamic routes">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Clients ask for</Table.Th>
                  <Table.Th>Models</Table.Th>
                  <Table.Th>Deployed</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {routes.data.routes.map((route) => (
                  <RouteRow
                    key={route.id}
                    route={route}
                    href={`${base}/${route.id}`}
                    onDelete={mayWrite ? () => setLeaving(route) : undefined}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > 50 && <Pagination mt="sm" size="sm" total={Math.ceil(total / 50)} value={page} onChange={setPage} />}
      {leaving !== null && <DeleteRoute gateway={gateway} route={leaving} onClose={() => setLeaving(null)} />}
    </Page>
  );
}

function RouteRow({ route, href, onDelete }: { route: Route; href: string; onDelete?: () => void }) {
  const models = [
    ...new Set(
      route.elements
        .filter((one) => one.type === 'model')
        .map((one) => `${String(one.properties?.provider)}/${String(one.properties?.model)}`),
    ),
  ];
  const asked = `dynamic/${route.name}`;
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} href={href} size="sm" fw={600}>
          {route.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          <Code>{asked}</Code>
          <CopyIcon text={asked} label={`Copy ${asked}`} />
        </Group>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {models.slice(0, 3).map((model) => (
            <Badge key={model} color="gray" maw={220} title={model}>
              {model}
            </Badge>
          ))}
          {models.length > 3 && (
            <Text size="xs" c="dimmed">
              and {models.length - 3} more
            </Text>
          )}
          {route.version.is_valid ? null : <Badge color="red">a provider has gone</Badge>}
        </Group>
      </Table.Td>
      <Table.Td title={fullMoment(route.deployment.created_at)}>{ago(route.deployment.created_at)}</Table.Td>
      <Table.Td className="end">
        {onDelete && (
          <Tooltip label="Delete">
            <ActionIcon aria-label={`Delete ${route.name}`} onClick={onDelete}>
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function DeleteRoute({ gateway, route, onClose }: { gateway: string; route: Route; onClose: () => void }) {
  const remove = useDeleteRoute(gateway);
  return (
    <Modal opened onClose={onClose} title={`Delete the route ${route.name}?`}>
      <Stack>
        <Text size="sm">Requests for dynamic/{route.name} are refused from then on. Its versions go, too; its logs stay.</Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(route.id, { onSuccess: onClose })}>
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
