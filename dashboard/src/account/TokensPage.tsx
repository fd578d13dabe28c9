import { Alert, Badge, Button, Checkbox, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { type Token, useCreateToken, useRevokeToken, useTokens } from '../api/account';
import { Confirm } from '../parts/Confirm';
import { Snippet } from '../parts/Copy';
import { fullMoment } from '../parts/format';
import { Ago, type Column, List, Named } from '../parts/List';
import { Empty, Failed } from '../parts/States';
import { useMay, useSession } from '../session/SessionContext';
import { Page } from '../shell/Page';

const PERMISSIONS = [
  { name: 'Read', says: 'look at gateways, logs, datasets, evaluations' },
  { name: 'Write', says: 'change them; includes Read' },
  { name: 'Run', says: 'send requests through gateways that ask for a token' },
];
const SPANS = [
  { value: '', label: 'as long as your own token' },
  { value: '1', label: 'a day' },
  { value: '30', label: '30 days' },
  { value: '365', label: 'a year' },
];

export default function TokensPage() {
  const [page, setPage] = useState(1);
  const tokens = useTokens(page);
  const revoke = useRevokeToken();
  const [making, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<Token | null>(null);
  const mayWrite = useMay('Write');
  const session = useSession();
  const columns: Column<Token>[] = [
    {
      label: 'Name',
      show: (token) => (
        <Group gap={6} wrap="nowrap">
          <Named name={token.name} />
          {token.id === session.token_id && <Badge>this session's</Badge>}
          {token.status === 'expired' && <Badge color="gray">expired</Badge>}
        </Group>
      ),
    },
    { label: 'May', show: ({ permissions }) => permissions.map((one) => one.replace('AI Gateway ', '')).join(', ') },
    { label: 'Created', show: ({ created_at }) => <Ago at={created_at} /> },
    { label: 'Ends', show: ({ expires_on }) => (expires_on === null ? 'never' : fullMoment(expires_on)) },
  ];
  return (
    <Page
      title="Tokens"
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
            New token
          </Button>
        )
      }
    >
      <List
        label="Tokens"
        query={tokens}
        columns={columns}
        actions={
          mayWrite
            ? (token) => (
                <Button size="compact-xs" variant="default" onClick={() => setRevoked(token)} aria-label={`Revoke ${token.name}`}>
                  Revoke
                </Button>
              )
            : undefined
        }
        onPage={setPage}
        empty={<Empty title="There is no token" />}
      />
      {making && <NewToken onClose={() => setMaking(false)} />}
      {revoked !== null && (
        <Confirm title={`Revoke “${revoked.name}”?`} does="Revoke" change={revoke} id={revoked.id} onClose={() => setRevoked(null)}>
          It opens nothing from then on, in every process at once, and browsers that signed in with it are signed out.
          {revoked.id === session.token_id ? ' You are one of them.' : ''}
        </Confirm>
      )}
    </Page>
  );
}

function NewToken({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const create = useCreateToken();
  const [name, setName] = useState('');
  const [span, setSpan] = useState('');
  const [permissions, setPermissions] = useState<string[]>([]);
  const may = (permission: string) =>
    session.permissions.includes(`AI Gateway ${permission}`) || (permission === 'Read' && session.permissions.includes('AI Gateway Write'));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const expires = span === '' ? {} : { expires_on: new Date(Date.now() + Number(span) * 86_400_000).toISOString() };
    create.mutate({ name, permissions: permissions.map((one) => `AI Gateway ${one}`), ...expires });
  };
  if (create.data) {
    return (
      <Modal opened onClose={onClose} title="The token" size="lg" closeOnClickOutside={false}>
        <Stack>
          <Alert color="yellow" variant="light">
            This is the only time it is shown: only its hash is kept. Keep it like a password.
          </Alert>
          <Snippet text={create.data.value} label="the token" />
          <Group>
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={onClose} title="New token">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="What it is for"
            required
            maxLength={256}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoFocus
          />
          <Checkbox.Group label="It may" description="No more than your own token" value={permissions} onChange={setPermissions}>
            <Stack gap={6} mt={4}>
              {PERMISSIONS.map((one) => (
                <Checkbox key={one.name} value={one.name} label={one.name} description={one.says} disabled={!may(one.name)} />
              ))}
            </Stack>
          </Checkbox.Group>
          <Select label="For" data={SPANS} value={span} onChange={(value) => setSpan(value ?? '')} />
          {create.isError && <Failed problem={create.error} />}
          <Group>
            <Button type="submit" loading={create.isPending} disabled={permissions.length === 0}>
              Create the token
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
