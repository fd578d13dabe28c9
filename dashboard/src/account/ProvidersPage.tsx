import { Button, Code, Group, JsonInput, Modal, Stack, Switch, TextInput } from '@mantine/core';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { type CustomProvider, useDeleteProvider, useProviders, useSaveProvider } from '../api/account';
import { ApiError } from '../api/client';
import { Confirm } from '../parts/Confirm';
import { Action, type Column, Delete, List, Named } from '../parts/List';
import { Empty, Failed } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';

export default function ProvidersPage() {
  const [page, setPage] = useState(1);
  const providers = useProviders(page);
  const remove = useDeleteProvider();
  const [edited, setEdited] = useState<CustomProvider | 'new' | null>(null);
  const [leaving, setLeaving] = useState<CustomProvider | null>(null);
  const mayWrite = useMay('Write');
  const actions = (provider: CustomProvider) => (
    <>
      <Action label="Change" of={provider.name} icon={<IconPencil size={16} />} onClick={() => setEdited(provider)} />
      <Delete of={provider.name} onClick={() => setLeaving(provider)} />
    </>
  );
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
      <List
        label="Custom providers"
        query={providers}
        columns={COLUMNS}
        actions={mayWrite ? actions : undefined}
        onPage={setPage}
        minWidth={600}
        empty={
          <Empty title="There is no custom provider yet">
            Any server that speaks a provider's format can be one: a model of your own, a company's proxy. Every gateway reaches it as{' '}
            <Code>custom-…</Code>.
          </Empty>
        }
      />
      {edited !== null && <ProviderForm provider={edited === 'new' ? undefined : edited} onClose={() => setEdited(null)} />}
      {leaving !== null && (
        <Confirm title={`Delete “${leaving.name}”?`} change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          Requests to custom-{leaving.slug} are refused from then on. Its logs stay.
        </Confirm>
      )}
    </Page>
  );
}

const COLUMNS: Column<CustomProvider>[] = [
  { label: 'Name', show: ({ name }) => <Named name={name} /> },
  { label: 'In addresses', show: ({ slug }) => <Code>custom-{slug}</Code> },
  {
    label: 'Base URL',
    show: ({ base_url }) => (
      <span className="cell" title={base_url}>
        {base_url}
      </span>
    ),
  },
];

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
