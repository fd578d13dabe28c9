import { Alert, Badge, Button, Card, Code, Group, Modal, Stack, Table, Tabs, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type FormEvent, useMemo, useState } from 'react';
import { ApiError } from '../api/client';
import { type NumberedVersion, type Route, useCreateVersion, useDeploy, useHistory, useRenameRoute, useRoute } from '../api/routes';
import { CopyIcon } from '../parts/Copy';
import { ago, count, fullMoment } from '../parts/format';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { aboutElements, Editor, useProblems } from './Editor';
import { inexact } from './conditions';
import { type Draft, type Element, isSame, toDrafts } from './elements';

/** One route: its graph, its versions, and what is deployed of them. */
export default function RoutePage({ gateway, id }: { gateway: string; id: string }) {
  const route = useRoute(gateway, id);
  const history = useHistory(gateway, id);
  const [chosen, setChosen] = useState<string | null>(null);
  const [undeployed, setUndeployed] = useState<Error | null>(null);
  const show = (version_id: string, problem: Error | null = null) => {
    setChosen(version_id);
    setUndeployed(problem);
  };
  if (route.isError) return <Failed problem={route.error} retry={() => void route.refetch()} />;
  if (history.isError) return <Failed problem={history.error} retry={() => void history.refetch()} />;
  if (route.isPending || history.isPending) return <Loading rows={10} />;
  const wanted = chosen ?? route.data.version.version_id;
  // The one that is deployed may be older than all that are listed
  const shown = history.data.versions.find((one) => one.version_id === wanted) ?? { ...route.data.version, number: null };
  return (
    <Opened
      key={shown.version_id}
      gateway={gateway}
      route={route.data}
      shown={shown}
      history={history.data}
      undeployed={undeployed}
      onShow={show}
    />
  );
}

interface OpenedProps {
  gateway: string;
  route: Route;
  shown: NumberedVersion;
  history: NonNullable<ReturnType<typeof useHistory>['data']>;
  /** Why the version that was saved last could not be deployed. */
  undeployed: Error | null;
  onShow: (version_id: string, undeployed?: Error | null) => void;
}

function Opened({ gateway, route, shown, history, undeployed, onShow }: OpenedProps) {
  const before = useMemo(() => toDrafts(JSON.parse(shown.data) as Element[]), [shown.data]);
  const [drafts, setDrafts] = useState(before);
  const [selected, setSelected] = useState<string | null>(before[0]?.key ?? null);
  const [renaming, { open, close }] = useDisclosure();
  const tooLong = useMemo(() => inexact(shown.data), [shown.data]);
  const mayWrite = useMay('Write');
  const mayChange = mayWrite && tooLong.length === 0;
  const changed = useMemo(() => !isSame(drafts, before), [drafts, before]);
  const { problems, setProblems, ready, refused } = useProblems(drafts, setSelected);
  const edit = (next: Draft[], left: typeof problems) => {
    setDrafts(next);
    setProblems(left);
  };
  return (
    <Page
      title={route.name}
      actions={
        mayWrite && (
          <Button variant="default" onClick={open}>
            Rename
          </Button>
        )
      }
    >
      <Stack gap="sm">
        <Group gap="xs" justify="space-between">
          <Group gap="xs">
            <Group gap={4}>
              <Text size="sm">Clients ask for</Text>
              <Code>dynamic/{route.name}</Code>
              <CopyIcon text={`dynamic/${route.name}`} label="Copy the model's name" />
            </Group>
            <Badge color={shown.active === 'true' ? 'gauge' : 'gray'}>
              {shown.number === null ? 'an older version' : `version ${shown.number}`},{' '}
              {shown.active === 'true' ? 'deployed' : 'not deployed'}
            </Badge>
            {changed && <Badge color="gray">changed, not saved</Badge>}
          </Group>
          {mayChange && (
            <Save
              gateway={gateway}
              route={route}
              changed={changed}
              ready={ready}
              refused={refused}
              onUndo={() => edit(before, [])}
              onSaved={onShow}
            />
          )}
        </Group>
        {undeployed && (
          <Alert color="red" variant="light" role="alert" title="It is saved as a version, but could not be deployed">
            <Text size="sm">{undeployed.message}</Text>
          </Alert>
        )}
        {tooLong.length > 0 && (
          <Alert color="yellow" variant="light" title="This version can only be changed through the API">
            <Text size="sm">It holds numbers that a browser cannot keep to the last digit: {tooLong.slice(0, 5).join(', ')}.</Text>
          </Alert>
        )}
        {!shown.is_valid && (
          <Alert color="red" variant="light">
            A custom provider that this version names has gone, so it cannot be deployed.
          </Alert>
        )}
        <Editor
          gateway={gateway}
          drafts={drafts}
          problems={problems}
          selected={selected}
          readOnly={!mayChange}
          onSelect={setSelected}
          onChange={edit}
        />
        <History gateway={gateway} route={route} shown={shown} history={history} onShow={onShow} unsaved={changed} />
      </Stack>
      {renaming && <Rename gateway={gateway} route={route} onClose={close} />}
    </Page>
  );
}

interface SaveProps {
  gateway: string;
  route: Route;
  changed: boolean;
  ready: () => Element[] | null;
  refused: (problem: Error) => void;
  onUndo: () => void;
  onSaved: (version_id: string, undeployed: Error | null) => void;
}

function Save({ gateway, route, changed, ready, refused, onUndo, onSaved }: SaveProps) {
  const keep = useCreateVersion(gateway, route.id);
  const deploy = useDeploy(gateway, route.id);
  const save = (andDeploy: boolean) => {
    const elements = ready();
    if (!elements) return;
    keep.mutate(elements, {
      onError: refused,
      onSuccess: ({ version_id }) =>
        andDeploy ? deploy.mutate(version_id, { onSettled: (_, problem) => onSaved(version_id, problem) }) : onSaved(version_id, null),
    });
  };
  const problem = keep.error && aboutElements(keep.error).length === 0 ? keep.error : null;
  return (
    <Group gap="xs">
      {problem && (
        <Text size="xs" c="red" role="alert">
          {problem.message}
        </Text>
      )}
      {changed && (
        <Button variant="default" onClick={onUndo}>
          Undo
        </Button>
      )}
      <Button variant="default" disabled={!changed} loading={keep.isPending} onClick={() => save(false)}>
        Save as a version
      </Button>
      <Button disabled={!changed} loading={keep.isPending || deploy.isPending} onClick={() => save(true)}>
        Save and deploy
      </Button>
    </Group>
  );
}

function History({ gateway, route, shown, history, onShow, unsaved }: Omit<OpenedProps, 'undeployed'> & { unsaved: boolean }) {
  const [deployed, setDeployed] = useState<NumberedVersion | null>(null);
  const mayWrite = useMay('Write');
  const numberOf = (version_id: string) => history.versions.find((one) => one.version_id === version_id)?.number;
  return (
    <Card padding={0}>
      <Tabs defaultValue="versions" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="versions">Versions ({count(history.versionCount ?? history.versions.length)})</Tabs.Tab>
          <Tabs.Tab value="deployments">Deployments ({count(history.deploymentCount ?? history.deployments.length)})</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="versions">
          <Table.ScrollContainer minWidth={420} type="native">
            <Table className="rows" aria-label="Versions">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Version</Table.Th>
                  <Table.Th>Made</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {history.versions.map((version) => (
                  <Table.Tr key={version.version_id} bg={version === shown ? 'var(--mantine-primary-color-light)' : undefined}>
                    <Table.Td className="figures">{version.number}</Table.Td>
                    <Table.Td title={fullMoment(version.created_at)}>{ago(version.created_at)}</Table.Td>
                    <Table.Td>
                      <Group gap={4}>
                        {version.active === 'true' && <Badge>deployed</Badge>}
                        {!version.is_valid && <Badge color="red">a provider has gone</Badge>}
                        {version === shown && <Badge color="gray">shown above</Badge>}
                      </Group>
                    </Table.Td>
                    <Table.Td className="end">
                      <Group gap={4} justify="flex-end" wrap="nowrap">
                        {version !== shown && (
                          <Button
                            size="compact-xs"
                            variant="default"
                            disabled={unsaved}
                            title={unsaved ? 'Save or undo your changes first' : undefined}
                            onClick={() => onShow(version.version_id)}
                            aria-label={`Show version ${version.number}`}
                          >
                            Show
                          </Button>
                        )}
                        {mayWrite && version.active !== 'true' && (
                          <Button
                            size="compact-xs"
                            variant="default"
                            disabled={!version.is_valid}
                            onClick={() => setDeployed(version)}
                            aria-label={`Deploy version ${version.number}`}
                          >
                            Deploy
                          </Button>
                        )}
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Tabs.Panel>
        <Tabs.Panel value="deployments">
          <Table className="rows" aria-label="Deployments">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>When</Table.Th>
                <Table.Th>Version</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {history.deployments.map((one, index) => (
                <Table.Tr key={one.deployment_id}>
                  <Table.Td>{fullMoment(one.created_at)}</Table.Td>
                  <Table.Td>
                    <Group gap={6}>
                      <span className="figures">{numberOf(one.version_id) ?? one.version_id}</span>
                      {index === 0 && <Badge>now</Badge>}
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Tabs.Panel>
      </Tabs>
      {deployed !== null && (
        <Deploy
          gateway={gateway}
          route={route}
          version={deployed}
          onClose={() => setDeployed(null)}
          onDeployed={() => onShow(deployed.version_id)}
          unsaved={unsaved}
        />
      )}
    </Card>
  );
}

interface DeployProps {
  gateway: string;
  route: Route;
  version: NumberedVersion;
  unsaved: boolean;
  onClose: () => void;
  onDeployed: () => void;
}

function Deploy({ gateway, route, version, unsaved, onClose, onDeployed }: DeployProps) {
  const deploy = useDeploy(gateway, route.id);
  const done = () => {
    onClose();
    if (!unsaved) onDeployed();
  };
  return (
    <Modal opened onClose={onClose} title={`Deploy version ${version.number}?`}>
      <Stack>
        <Text size="sm">
          It answers the next request for dynamic/{route.name}, in every process. The version that is deployed now is kept, and can be
          deployed again.
        </Text>
        {deploy.isError && <Failed problem={deploy.error} />}
        <Group>
          <Button loading={deploy.isPending} onClick={() => deploy.mutate(version.version_id, { onSuccess: done })}>
            Deploy
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Rename({ gateway, route, onClose }: { gateway: string; route: Route; onClose: () => void }) {
  const [name, setName] = useState(route.name);
  const rename = useRenameRoute(gateway, route.id);
  const refused = rename.error instanceof ApiError ? rename.error.about('name') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(name, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title="Rename the route">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description={`Clients that ask for dynamic/${route.name} are refused from then on.`}
            required
            maxLength={64}
            value={name}
            error={refused}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          {rename.isError && !refused && <Failed problem={rename.error} />}
          <Group>
            <Button type="submit" loading={rename.isPending} disabled={name === route.name}>
              Rename
            </Button>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
