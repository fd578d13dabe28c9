import { Badge, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { type Shadow, useDeleteShadow } from '../api/shadows';
import { Failed } from '../parts/States';
import { STATES } from '../trials/reasons';

/** What a shadow is doing, in a word or two. */
export function stateOf(shadow: Shadow): { label: string; colour: string } {
  if (!shadow.processed && shadow.stopped_at !== null) return { label: 'stopping', colour: 'gray' };
  if (!shadow.processed && shadow.paused_until !== null) return { label: 'paused: cap reached', colour: 'yellow' };
  if (shadow.status === 2 && shadow.stopped_at !== null) return { label: 'stopped', colour: 'gray' };
  return STATES[shadow.status] ?? { label: `status ${shadow.status}`, colour: 'gray' };
}

export function ShadowBadge({ shadow }: { shadow: Shadow }) {
  const { label, colour } = stateOf(shadow);
  return (
    <Badge color={colour} title={shadow.status_description} miw="max-content">
      {label}
    </Badge>
  );
}

interface DeleteProps {
  gateway: string;
  shadow: Shadow;
  onClose: () => void;
  onDeleted: () => void;
}

export function DeleteShadow({ gateway, shadow, onClose, onDeleted }: DeleteProps) {
  const remove = useDeleteShadow(gateway);
  return (
    <Modal opened onClose={onClose} title="Delete the shadow?">
      <Stack>
        <Text size="sm">
          “{shadow.name}” goes with its results{shadow.processed ? '' : ', and nothing more is sent'}. The logs of its calls stay, and what
          it spent is spent.
        </Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(shadow.id, { onSuccess: onDeleted })}>
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
