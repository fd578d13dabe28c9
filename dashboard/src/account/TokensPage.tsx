import { Alert, Badge, Button, Card, Checkbox, Group, Modal, Select, Stack, Table, Text, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { type Token, useCreateToken, useRevokeToken, useTokens } from '../api/account';
import { Snippet } from '../parts/Copy';
import { ago, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
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
  const tokens = useTokens();
  const [making, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<Token | null>(null);
  const mayWrite = useMay('Write');
  const session = useSession();
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
      <Card padding={0}>
        {tokens.isPending && <Loading />}
        {tokens.isError && <Failed problem={tokens.error} retry={() => void tokens.refetch()} />}
        {tokens.data?.items.length === 0 && <Empty title="There is no token" />}
        {tokens.data && tokens.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={640} type="native">
            <Table className="rows" aria-label="Tokens">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>May</Table.Th>
                  <Table.Th>Created</Table.Th>
                  <Table.Th>Ends</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {tokens.data.items.map((token) => (
                  <Table.Tr key={token.id}>
                    <Table.Td>
                      <Group gap={6} wrap="nowrap">
                        <Text size="sm" fw={600} className="cell" title={token.name}>
                          {token.name}
                        </Text>
                        {token.id === session.token_id && <Badge>this session's</Badge>}
                        {token.status === 'expired' && <Badge color="gray">expired</Badge>}
                      </Group>
                    </Table.Td>
                    <Table.Td>{token.permissions.map((one) => one.replace('AI Gateway ', '')).join(', ')}</Table.Td>
                    <Table.Td title={fullMoment(token.created_at)}>{ago(token.created_at)}</Table.Td>
                    <Table.Td>{token.expires_on === null ? 'never' : fullMoment(token.expires_on)}</Table.Td>
                    <Table.Td className="end">
                      {mayWrite && (
                        <Button size="compact-xs" variant="default" onClick={() => setRevoked(token)} aria-label={`Revoke ${token.name}`}>
                          Revoke
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {making && <NewToken onClose={() => setMaking(false)} />}
      {revoked !== null && <Revoke token={revoked} own={revoked.id === session.token_id} onClose={() => setRevoked(null)} />}
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

function Revoke({ token, own, onClose }: { token: Token; own: boolean; onClose: () => void }) {
  const revoke = useRevokeToken();
  return (
    <Modal opened onClose={onClose} title={`Revoke “${token.name}”?`}>
      <Stack>
        <Text size="sm">
          It opens nothing from then on, in every process at once, and browsers that signed in with it are signed out.
          {own ? ' You are one of them.' : ''}
        </Text>
        {revoke.isError && <Failed problem={revoke.error} />}
        <Group>
          <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate(token.id, { onSuccess: onClose })}>
            Revoke
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
