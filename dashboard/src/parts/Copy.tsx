import { ActionIcon, Button, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

export function CopyIcon({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : label}>
          <ActionIcon size="sm" aria-label={label} onClick={copy}>
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function CopyText({ text, children }: { text: string; children: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button variant="default" leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />} onClick={copy}>
          {copied ? 'Copied' : children}
        </Button>
      )}
    </CopyButton>
  );
}

/** Code to take along. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <Group gap={4} align="flex-start" wrap="nowrap" pos="relative">
      <Code block flex={1} miw={0} tabIndex={0} role="region" aria-label={label}>
        {text}
      </Code>
      <CopyIcon text={text} label={`Copy: ${label}`} />
    </Group>
  );
}
