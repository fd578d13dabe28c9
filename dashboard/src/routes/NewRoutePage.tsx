import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError } from '../api/client';
import { useCreateRoute } from '../api/routes';
import { Failed } from '../parts/States';
import { Page } from '../shell/Page';
import { aboutElements, Editor, useProblems } from './Editor';
import { plainRoute } from './elements';

/** A new route, from one model on. */
export default function NewRoutePage({ gateway }: { gateway: string }) {
  const [drafts, setDrafts] = useState(plainRoute);
  const [selected, setSelected] = useState<string | null>(drafts[1]?.key ?? null);
  const [name, setName] = useState('');
  const create = useCreateRoute(gateway);
  const { problems, setProblems, ready, refused } = useProblems(drafts, setSelected);
  const [, go] = useLocation();
  const base = `/gateways/${encodeURIComponent(gateway)}/routes`;
  const save = () => {
    const elements = ready();
    if (elements) create.mutate({ name, elements }, { onSuccess: (route) => go(`${base}/${route.id}`), onError: refused });
  };
  const aboutName = create.error instanceof ApiError ? create.error.about('name') : undefined;
  return (
    <Page title="New route">
      <Group mb="sm" align="flex-end" gap="xs">
        <TextInput
          label="Name"
          description={`Clients ask for dynamic/${name || '…'}`}
          required
          maxLength={64}
          w={280}
          value={name}
          error={aboutName}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button loading={create.isPending} disabled={name === ''} onClick={save}>
          Create and deploy
        </Button>
        <Button variant="default" onClick={() => go(base)}>
          Cancel
        </Button>
      </Group>
      {create.isError && aboutElements(create.error).length === 0 && !aboutName && <Failed problem={create.error} />}
      <Editor
        gateway={gateway}
        drafts={drafts}
        problems={problems}
        selected={selected}
        readOnly={false}
        onSelect={setSelected}
        onChange={(changed, left) => {
          setDrafts(changed);
          setProblems(left);
        }}
      />
    </Page>
  );
}
