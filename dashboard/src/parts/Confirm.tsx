import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { UseMutationResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failed } from './States';

interface Props {
  title: string;
  /** What goes with it, and what stays. */
  children: ReactNode;
  /** What is done to the item of that id. */
  change: Pick<UseMutationResult<unknown, Error, string>, 'mutate' | 'reset' | 'isPending' | 'error'>;
  id: string;
  does?: string;
  onClose: () => void;
  onDone?: () => void;
}

/** Asks before something goes that does not come back. */
export function Confirm({ title, children, change, id, does = 'Delete', onClose, onDone = onClose }: Props) {
  const leave = () => {
    change.reset(); // what was said of this one is not said of the next
    onClose();
  };
  return (
    <Modal opened onClose={leave} title={title}>
      <Stack>
        <Text size="sm">{children}</Text>
        {change.error && <Failed problem={change.error} />}
        <Group>
          <Button color="red" loading={change.isPending} onClick={() => change.mutate(id, { onSuccess: onDone })}>
            {does}
          </Button>
          <Button variant="default" onClick={leave}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
