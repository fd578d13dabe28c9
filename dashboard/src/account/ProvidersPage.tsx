import { ActionIcon, Button, Card, Code, Group, JsonInput, Modal, Stack, Switch, Table, Text, TextInput, Tooltip } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { type CustomProvider, useDeleteProvider, useProviders, useSaveProvider } from '../api/account';
import { ApiError } from '../api/client';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';

export default function ProvidersPage() {
  const providers = useProviders();
  const [edited, setEdited] = useState<CustomProvider | 'new' | null>(null);
  const [leaving, setLeaving] = useState<CustomProvider | null>(null);
  const mayWrite = useMay('Write');
  return (
    <Page
      title="Custom providers"
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={14} />} onClick={() => setEdited('new')}>
            New provider
          </Button>
        )
      }
    >
      <Card padding={0}>
        {providers.isPending && <Loading />}
        {providers.isError && <Failed problem={providers.error} retry={() => void providers.refetch()} />}
        {providers.data?.items.length === 0 && (
          <Empty title="There is no custom provider yet">
            Any server that speaks a provider's format can be one: a model of your own, a company's proxy. Every gateway reaches it as{' '}
            <Code>custom-…</Code>.
          </Empty>
        )}
        {providers.data && providers.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={600} type="native">
            <Table className="rows" aria-label="Custom providers">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>In addresses</Table.Th>
                  <Table.Th>Base URL</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {providers.data.items.map((provider) => (
                  <Table.Tr key={provider.id}>
                    <Table.Td>
                      <Text size="sm" fw={600} className="cell" title={provider.name}>
                        {provider.name}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <Code>custom-{provider.slug}</Code>
                    </Table.Td>
                    <Table.Td>
                      <span className="cell" title={provider.base_url}>
                        {provider.base_url}
                      </span>
                    </Table.Td>
                    <Table.Td className="end">
                      {mayWrite && (
                        <Group gap={2} justify="flex-end" wrap="nowrap">
                          <Tooltip label="Change">
                            <ActionIcon aria-label={`Change ${provider.name}`} onClick={() => setEdited(provider)}>
                              <IconPencil size={16} />
                            </ActionIcon>
                          </Tooltip>
                          <Tooltip label="Delete">
                            <ActionIcon aria-label={`Delete ${provider.name}`} onClick={() => setLeaving(provider)}>
                              <IconTrash size={16} />
                            </ActionIcon>
                          </Tooltip>
                        </Group>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {edited !== null && <ProviderForm provider={edited === 'new' ? undefined : edited} onClose={() => setEdited(null)} />}
      {leaving !== null && <DeleteProvider provider={leaving} onClose={() => setLeaving(null)} />}
    </Page>
  );
}

function ProviderForm({ provider, onClose }: { provider?: CustomProvider; onClose: () => void }) {
  const [draft, setDraft] = useState({
    name: provider?.name ?? '',
    slug: provider?.slug ?? '',
    base_url: provider?.base_url ?? 'https://',
    description: provider?.description ?? '',
    headers: provider?.headers ?? '',
    enable: provider?.enable ?? true,
  });
  const save = useSaveProvider(provider?.id);
  const set = (change: Partial<typeof draft>) => setDraft({ ...draft, ...change });
  const refused = (field: string) => (save.error instanceof ApiError ? save.error.about(field) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ ...draft, description: draft.description || null, headers: draft.headers || null }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={provider ? 'Change the provider' : 'New provider'} size="lg">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            required
            maxLength={256}
            value={draft.name}
            error={refused('name')}
            onChange={(event) => set({ name: event.currentTarget.value })}
            autoFocus
          />
          <TextInput
            label="Slug"
            description="Gateways reach it as custom-{slug}."
            required
            maxLength={64}
            pattern="[a-zA-Z0-9_\-]+"
            value={draft.slug}
            error={refused('slug')}
            onChange={(event) => set({ slug: event.currentTarget.value })}
          />
          <TextInput
            label="Base URL"
            description="https; plain http and private addresses only where the operator allows them (GAUGEWAY_PRIVATE_UPSTREAMS)."
            required
            maxLength={2048}
            value={draft.base_url}
            error={refused('base_url')}
            onChange={(event) => set({ base_url: event.currentTarget.value })}
          />
          <TextInput
            label="Description"
            value={draft.description}
            error={refused('description')}
            onChange={(event) => set({ description: event.currentTarget.value })}
          />
          <JsonInput
            label="Extra headers that it is sent"
            description='A JSON object, such as {"x-team": "blue"}. Whoever may change this page sees their values.'
            size="xs"
            autosize
            minRows={2}
            value={draft.headers}
            error={refused('headers')}
            onChange={(headers) => set({ headers })}
          />
          <Switch
            label="Enabled"
            description="Requests to it are refused while it is not."
            checked={draft.enable}
            onChange={(event) => set({ enable: event.currentTarget.checked })}
          />
          {save.isError && <Failed problem={save.error} />}
          <Group>
            <Button type="submit" loading={save.isPending}>
              {provider ? 'Save' : 'Add the provider'}
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

function DeleteProvider({ provider, onClose }: { provider: CustomProvider; onClose: () => void }) {
  const remove = useDeleteProvider();
  return (
    <Modal opened onClose={onClose} title={`Delete “${provider.name}”?`}>
      <Stack>
        <Text size="sm">Requests to custom-{provider.slug} are refused from then on. Its logs stay.</Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(provider.id, { onSuccess: onClose })}>
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
