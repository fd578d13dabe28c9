import { Badge, Button, Card, Group, Modal, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { type Available, useDeleteGateway, useGateway, useSettingNames } from '../api/gateways';
import type { Gateway } from '../api/types';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { Connect } from '../gateways/Connect';
import { ProviderKeys } from './ProviderKeys';
import { SettingsForm } from './SettingsForm';
import { SpendLimits } from './SpendLimits';

export default function SettingsPage({ gateway: id }: { gateway: string }) {
  const gateway = useGateway(id);
  const names = useSettingNames();
  const [saved, setSaved] = useState<Saved>();
  const problem = gateway.error ?? names.error;
  if (problem) return <Failed problem={problem} retry={() => void Promise.all([gateway.refetch(), names.refetch()])} />;
  if (gateway.isPending || names.isPending) return <Loading rows={10} />;
  // What was saved outlives the forms, which begin anew with the settings that came of it.
  return (
    <Settings
      key={gateway.data?.modified_at}
      gateway={gateway.data as Gateway}
      names={names.data as Available[]}
      saved={saved}
      onSaved={setSaved}
    />
  );
}

type Saved = 'settings' | 'spend limits';

function Settings({
  gateway,
  names,
  saved,
  onSaved,
}: {
  gateway: Gateway;
  names: Available[];
  saved?: Saved;
  onSaved: (what: Saved) => void;
}) {
  const mayWrite = useMay('Write');
  const known = names.map((one) => one.name);
  return (
    <Page title="Settings">
      <Stack maw={860}>
        {!mayWrite && (
          <Text size="sm" c="dimmed">
            Your token may not change settings: that needs the permission Write.
          </Text>
        )}
        <SettingsForm
          gateway={gateway}
          names={known}
          readOnly={!mayWrite}
          saved={saved === 'settings'}
          onSaved={() => onSaved('settings')}
        />
        <SpendLimits
          gateway={gateway}
          names={known}
          readOnly={!mayWrite}
          saved={saved === 'spend limits'}
          onSaved={() => onSaved('spend limits')}
        />
        <ProviderKeys gateway={gateway.id} readOnly={!mayWrite} />
        <Card>
          <Title order={2} mb="xs">
            Pointing clients here
          </Title>
          <Connect gateway={gateway.id} />
        </Card>
        <Missing names={names.filter((one) => !one.available)} />
        {mayWrite && <Leave gateway={gateway.id} />}
      </Stack>
    </Page>
  );
}

/** What Cloudflare has and this version does not: said, not shown as a switch that does nothing. */
function Missing({ names }: { names: Available[] }) {
  if (names.length === 0) return null;
  return (
    <Card>
      <Title order={2} mb="xs">
        Not available in this version
      </Title>
      <Table aria-label="Not available in this version">
        <Table.Tbody>
          {names.map(({ name, note }) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w={200}>
                <Badge color="gray">{name}</Badge>
              </Table.Th>
              <Table.Td>
                <Text size="sm" c="dimmed">
                  {note?.replace(/;.*$/, '')}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}

function Leave({ gateway }: { gateway: string }) {
  const [opened, { open, close }] = useDisclosure();
  const [typed, setTyped] = useState('');
  const remove = useDeleteGateway(gateway);
  const [, go] = useLocation();
  return (
    <Card>
      <Group justify="space-between">
        <div>
          <Title order={2}>Delete the gateway</Title>
          <Text size="sm" c="dimmed">
            Its logs, datasets and evaluations go with it. Clients that use it get errors.
          </Text>
        </div>
        <Button variant="default" onClick={open}>
          Delete …
        </Button>
      </Group>
      <Modal opened={opened} onClose={close} title={`Delete ${gateway}?`}>
        <Stack>
          <TextInput
            label={`Type ${gateway} to delete it with everything in it`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            data-autofocus
          />
          {remove.isError && <Failed problem={remove.error} />}
          <Group>
            <Button
              color="red"
              disabled={typed !== gateway}
              loading={remove.isPending}
              onClick={() => remove.mutate(undefined, { onSuccess: () => go('/') })}
            >
              Delete it
            </Button>
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Card>
  );
}
