import { Alert, Checkbox, Group, NumberInput, PasswordInput, Text, TextInput } from '@mantine/core';
import type { Monitor } from '../api/monitors';
import type { PartProps } from './draft';

/** Where notices go, and of what they tell. */
export function Told({ draft, set, about, kept }: PartProps & { kept?: Monitor }) {
  const hasSecret = kept?.webhook != null;
  return (
    <>
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <TextInput
          miw={220}
          label="Webhook"
          description="Where a signed POST goes. Empty: notices are only shown here."
          placeholder="https://hooks.example.com/gaugeway"
          maxLength={2048}
          value={draft.url}
          onChange={(event) => set({ url: event.currentTarget.value })}
          error={about('webhook', 'url')}
        />
        <PasswordInput
          miw={220}
          label="Secret that signs"
          description={hasSecret ? 'Empty: the one that it has.' : 'Empty: one is made, and shown once.'}
          autoComplete="off"
          maxLength={256}
          disabled={draft.url.trim() === ''}
          value={draft.secret}
          onChange={(event) => set({ secret: event.currentTarget.value })}
          error={about('webhook', 'secret')}
        />
        <NumberInput
          miw={180}
          label="Windows that are kept"
          description="Older ones go, with their evaluations; 51 to 100,000."
          min={51}
          max={100_000}
          allowDecimal={false}
          value={draft.keep}
          onChange={(keep) => set({ keep })}
          error={about('keep_windows')}
        />
      </Group>
      <Checkbox
        label="Tell of failures, too"
        description="Of windows that failed, that have no logs or no baseline, and of caps that were reached. Without it they are only shown."
        checked={draft.failures}
        onChange={(event) => set({ failures: event.currentTarget.checked })}
      />
      {hasSecret && draft.url.trim() === '' && (
        <Alert color="yellow" variant="light" p="xs">
          <Text size="xs">Without a webhook its secret is forgotten, and nobody is told any more.</Text>
        </Alert>
      )}
    </>
  );
}
