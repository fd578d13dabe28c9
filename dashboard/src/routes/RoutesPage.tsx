import { Badge, Button, Code, Group, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Route, useDeleteRoute, useRoutes } from '../api/routes';
import { Confirm } from '../parts/Confirm';
import { CopyIcon } from '../parts/Copy';
import { Ago, type Column, Delete, List, Named } from '../parts/List';
import { Empty } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';

/** A gateway's dynamic routes. */
export default function RoutesPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [leaving, setLeaving] = useState<Route | null>(null);
  const routes = useRoutes(gateway, page);
  const remove = useDeleteRoute(gateway);
  const mayWrite = useMay('Write');
  const base = `/gateways/${encodeURIComponent(gateway)}/routes`;
  const create = mayWrite && (
    <Button component={Link} href={`${base}/new`} leftSection={<IconPlus size={14} />}>
      New route
    </Button>
  );
  const columns: Column<Route>[] = [
    { label: 'Name', show: ({ id, name }) => <Named name={name} href={`${base}/${id}`} /> },
    { label: 'Clients ask for', show: ({ name }) => <Asked text={`dynamic/${name}`} /> },
    { label: 'Models', show: (route) => <Models route={route} /> },
    { label: 'Deployed', show: ({ deployment }) => <Ago at={deployment.created_at} /> },
  ];
  return (
    <Page title="Dynamic routes" actions={create}>
      <List
        label="Dynamic routes"
        query={routes}
        columns={columns}
        actions={mayWrite ? (route) => <Delete of={route.name} onClick={() => setLeaving(route)} /> : undefined}
        onPage={setPage}
        empty={
          <Empty title="There is no dynamic route yet">
            A route chooses the model: by what a request says, by chance, by what has passed already, and by what fails. Clients ask for{' '}
            <Code>dynamic/…</Code>, and where that goes is changed here, without changing any client.
          </Empty>
        }
      />
      {leaving !== null && (
        <Confirm title={`Delete the route ${leaving.name}?`} change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          Requests for dynamic/{leaving.name} are refused from then on. Its versions go, too; its logs stay.
        </Confirm>
      )}
    </Page>
  );
}

function Asked({ text }: { text: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Code>{text}</Code>
      <CopyIcon text={text} label={`Copy ${text}`} />
    </Group>
  );
}

function Models({ route }: { route: Route }) {
  const models = [
    ...new Set(
      route.elements
        .filter((one) => one.type === 'model')
        .map((one) => `${String(one.properties?.provider)}/${String(one.properties?.model)}`),
    ),
  ];
  return (
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
  );
}
