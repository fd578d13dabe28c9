import {
  Autocomplete,
  Badge,
  Button,
  Code,
  Group,
  Modal,
  NumberInput,
  PasswordInput,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconPlus, IconRefresh } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useProviders } from '../api/account';
import { ApiError } from '../api/client';
import { type StoredKey, useDeleteKey, useSaveKey, useStoredKeys } from '../api/keys';
import { Confirm } from '../parts/Confirm';
import { count } from '../parts/format';
import { Action, Ago, type Column, Delete, List, Named } from '../parts/List';
import { Empty, Failed } from '../parts/States';

/** Keys of providers that the gateway keeps, so that clients need only its token. */
export function ProviderKeys({ gateway, readOnly }: { gateway: string; readOnly: boolean }) {
  const [page, setPage] = useState(1);
  const [edited, setEdited] = useState<StoredKey | 'new' | null>(null);
  const [leaving, setLeaving] = useState<StoredKey | null>(null);
  const keys = useStoredKeys(gateway, page);
  const remove = useDeleteKey(gateway);
  const actions = (key: StoredKey) => (
    <>
      <Action label="Replace" of={`the key of ${nameOf(key)}`} icon={<IconRefresh size={16} />} onClick={() => setEdited(key)} />
      <Delete of={`the key of ${nameOf(key)}`} onClick={() => setLeaving(key)} />
    </>
  );
  return (
    <div>
      <List
        label="Provider keys"
        query={keys}
        columns={COLUMNS}
        actions={readOnly ? undefined : actions}
        onPage={setPage}
        minWidth={600}
        rows={3}
        empty={
          <Empty title="No key is stored">
            Clients send each provider's own key with their requests. Store one here, and they need the gateway's token only.
          </Empty>
        }
      >
        <Group justify="space-between" p="md" pb="xs">
          <Title order={2}>Provider keys</Title>
          {!readOnly && (
            <Button variant="default" leftSection={<IconPlus size={14} />} onClick={() => setEdited('new')}>
              Store a key
            </Button>
          )}
        </Group>
        <Text size="xs" c="dimmed" px="md" pb="xs">
          A request without a key of its own is sent with the stored one, if it carries a gateway token with the permission Run. Keys are
          sealed under the master key, and shown to nobody again.
        </Text>
      </List>
      {edited !== null && <KeyForm gateway={gateway} stored={edited === 'new' ? undefined : edited} onClose={() => setEdited(null)} />}
      {leaving !== null && (
        <Confirm title={`Delete the key of ${nameOf(leaving)}?`} change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          It is spent no more from that moment on: requests without a key of their own go to the provider without one, or are refused.
        </Confirm>
      )}
    </div>
  );
}

const COLUMNS: Column<StoredKey>[] = [
  { label: 'Provider', show: ({ provider_slug }) => <Named name={provider_slug} /> },
  {
    label: 'Alias',
    show: (key) => (
      <Group gap={6} wrap="nowrap">
        <span className="cell">{key.alias}</span>
        {key.default_config && <Badge>default</Badge>}
      </Group>
    ),
  },
  { label: 'Key', show: ({ secret_preview }) => <Code>{secret_preview}</Code> },
  {
    label: 'Rate limit',
    show: (key) => (key.rate_limit === undefined ? 'none' : `${count(key.rate_limit)} in ${count(key.rate_limit_period)} s`),
  },
  { label: 'Stored', show: ({ modified_at }) => <Ago at={modified_at} /> },
];

function nameOf(key: StoredKey): string {
  return `${key.provider_slug}, ${key.alias}`;
}

function KeyForm({ gateway, stored, onClose }: { gateway: string; stored?: StoredKey; onClose: () => void }) {
  const providers = useProviders();
  const [draft, setDraft] = useState({
    provider_slug: stored?.provider_slug ?? '',
    alias: stored?.alias ?? 'default',
    default_config: stored?.default_config ?? true,
    secret: '',
    rate_limit: (stored?.rate_limit ?? '') as number | string,
    rate_limit_period: (stored?.rate_limit_period ?? 60) as number | string,
  });
  const save = useSaveKey(gateway, stored?.id);
  const set = (change: Partial<typeof draft>) => setDraft({ ...draft, ...change });
  const refused = (field: string) => (save.error instanceof ApiError ? save.error.about(field) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(
      {
        ...draft,
        rate_limit: draft.rate_limit === '' ? null : Number(draft.rate_limit),
        rate_limit_period: Number(draft.rate_limit_period) || 60,
      },
      { onSuccess: onClose },
    );
  };
  return (
    <Modal opened onClose={onClose} title={stored ? `Replace the key of ${nameOf(stored)}` : 'Store a key'} size="lg">
      <form onSubmit={submit} autoComplete="off">
        <Stack gap="sm">
          {!stored && (
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <Autocomplete
                label="Provider"
                description="Its slug, or custom-… for one of your own"
                required
                placeholder="openai"
                data={(providers.data?.items ?? []).map((one) => `custom-${one.slug}`)}
                value={draft.provider_slug}
                error={refused('provider_slug')}
                onChange={(value) => set({ provider_slug: value })}
                data-autofocus
              />
              <TextInput
                label="Alias"
                description="What requests name it by in cf-aig-byok-alias"
                required
                maxLength={64}
                value={draft.alias}
                error={refused('alias')}
                onChange={(event) => set({ alias: event.currentTarget.value })}
              />
            </SimpleGrid>
          )}
          <PasswordInput
            label={stored ? 'The new key' : 'Key'}
            description={
              stored
                ? `It takes the place of ${stored.secret_preview} at once.`
                : "As the provider issues it. AWS: JSON with accessKeyId, secretAccessKey and region. Vertex AI: a service account's JSON."
            }
            required
            autoComplete="new-password"
            value={draft.secret}
            error={refused('secret')}
            onChange={(event) => set({ secret: event.currentTarget.value })}
          />
          <Switch
            label="Default"
            description="Used where a request names no alias. A new default ends the old one."
            checked={draft.default_config}
            onChange={(event) => set({ default_config: event.currentTarget.checked })}
          />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <NumberInput
              label="Requests"
              description="sent with it at most; empty: no limit"
              min={1}
              allowDecimal={false}
              value={draft.rate_limit}
              error={refused('rate_limit')}
              onChange={(value) => set({ rate_limit: value })}
            />
            <NumberInput
              label="in how many seconds"
              description="Over it: 429"
              min={1}
              allowDecimal={false}
              value={draft.rate_limit_period}
              error={refused('rate_limit_period')}
              onChange={(value) => set({ rate_limit_period: value })}
            />
          </SimpleGrid>
          {save.isError && <Failed problem={save.error} />}
          <Group>
            <Button type="submit" loading={save.isPending}>
              {stored ? 'Replace it' : 'Store it'}
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
