import { ActionIcon, Button, Group, Stack, Table, Text, TextInput } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useEditLog } from '../api/logs';
import type { LogDetail, Scalar } from '../api/types';

/** The metadata of a log, and changing it. Saving replaces all of it, as the API does. */
export function MetadataForm({ gateway, log, readOnly }: { gateway: string; log: LogDetail; readOnly: boolean }) {
  const kept = Object.entries(log.metadata ?? {});
  const [rows, setRows] = useState<[string, Scalar][]>(kept);
  const edit = useEditLog(gateway, log.id);
  if (readOnly) return <Read rows={kept} />;
  const change = (index: number, row: [string, Scalar]) => setRows(rows.map((one, at) => (at === index ? row : one)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    edit.mutate({ metadata: rows.length === 0 ? null : Object.fromEntries(rows) });
  };
  const unchanged = JSON.stringify(rows) === JSON.stringify(kept);
  return (
    <form onSubmit={submit}>
      <Stack gap={6}>
        <Text size="xs" fw={600}>
          Metadata
        </Text>
        {rows.map(([key, value], index) => (
          <Group key={index} gap={6} wrap="nowrap">
            <TextInput
              aria-label={`Key ${index + 1}`}
              value={key}
              maxLength={256}
              required
              onChange={(event) => change(index, [event.currentTarget.value, value])}
            />
            <TextInput
              aria-label={`Value ${index + 1}`}
              flex={1}
              value={String(value)}
              readOnly={typeof value !== 'string'}
              onChange={(event) => change(index, [key, event.currentTarget.value])}
            />
            <ActionIcon aria-label={`Remove ${key}`} onClick={() => setRows(rows.filter((_, at) => at !== index))}>
              <IconX size={14} />
            </ActionIcon>
          </Group>
        ))}
        <Group gap="xs">
          <Button variant="default" onClick={() => setRows([...rows, ['', '']])}>
            Add an entry
          </Button>
          <Button type="submit" variant="default" disabled={unchanged} loading={edit.isPending}>
            Save the metadata
          </Button>
        </Group>
        {edit.isError && (
          <Text size="sm" c="red" role="alert">
            {edit.error.message}
          </Text>
        )}
      </Stack>
    </form>
  );
}

function Read({ rows }: { rows: [string, Scalar][] }) {
  if (rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        No metadata.
      </Text>
    );
  return (
    <Table aria-label="Metadata">
      <Table.Tbody>
        {rows.map(([key, value]) => (
          <Table.Tr key={key}>
            <Table.Th scope="row">{key}</Table.Th>
            <Table.Td className="logged">{String(value)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
