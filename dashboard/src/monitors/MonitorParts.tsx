import { Badge, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useEvaluationTypes } from '../api/evaluations';
import { type Check, type Monitor, useDeleteMonitor, useSaveMonitor } from '../api/monitors';
import { Failed } from '../parts/States';
import { bodyOf, draftOf } from './draft';
import { type Direction, raisedOf, type Told, told } from './findings';

/** What evaluation types are called, and which way is good. */
export function useTypes() {
  const types = useEvaluationTypes();
  const find = (id: string) => types.data?.find((one) => one.id === id);
  return {
    nameOf: (id: string) => find(id)?.name ?? id,
    directionOf: (id: string) => (find(id)?.direction ?? 'neither') as Direction,
  };
}

export function FindingBadge({ found }: { found: Told | null }) {
  if (found === null)
    return (
      <Badge color="blue" miw="max-content">
        under way
      </Badge>
    );
  return (
    <Badge color={found.colour} title={found.means} miw="max-content">
      {found.label}
    </Badge>
  );
}

/** Whether it watches, and what it has told that has not passed. */
export function MonitorBadges({ monitor }: { monitor: Monitor }) {
  const { nameOf } = useTypes();
  return (
    <Group gap={4}>
      <Badge color={monitor.enabled ? 'gauge' : 'gray'} miw="max-content">
        {monitor.enabled ? 'watching' : 'paused'}
      </Badge>
      {raisedOf(monitor).map(({ finding, type }) => {
        const { label, colour, means } = told({ finding } as Check, 'neither');
        return (
          <Badge key={`${finding} ${type}`} color={colour} title={means} miw="max-content">
            {nameOf(type)}: {label}
          </Badge>
        );
      })}
    </Group>
  );
}

interface Props {
  gateway: string;
  monitor: Monitor;
  onClose: () => void;
}

export function DeleteMonitor({ gateway, monitor, onClose, onDeleted }: Props & { onDeleted: () => void }) {
  const remove = useDeleteMonitor(gateway);
  return (
    <Modal opened onClose={onClose} title="Delete the monitor?">
      <Stack>
        <Text size="sm">
          “{monitor.name}” goes with its windows, and with notices that were not delivered yet. The evaluations of its windows stay.
        </Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(monitor.id, { onSuccess: onDeleted })}>
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

/** Pauses a monitor that watches, or lets a paused one go on. Everything else of it stays. */
export function PauseMonitor({ gateway, monitor, onClose }: Props) {
  const save = useSaveMonitor(gateway, monitor.id);
  const pausing = monitor.enabled;
  const body = { ...bodyOf(draftOf(monitor), monitor), enabled: !pausing };
  return (
    <Modal opened onClose={onClose} title={pausing ? 'Pause the monitor?' : 'Resume the monitor?'}>
      <Stack>
        <Text size="sm">
          {pausing
            ? 'While it is paused nothing is counted and nothing is spent: the logs of that time are in no window. Its windows and notices stay.'
            : 'It counts logs from now on; those of the pause are in no window.'}
        </Text>
        {monitor.datasets.length > 1 && (
          <Text size="sm" c="dimmed">
            Its {monitor.datasets.length} datasets are taken as they are now. If one was changed since, the windows so far are no reference
            any more; if one is gone, this is refused.
          </Text>
        )}
        {save.isError && <Failed problem={save.error} />}
        <Group>
          <Button loading={save.isPending} onClick={() => save.mutate(body, { onSuccess: onClose })}>
            {pausing ? 'Pause' : 'Resume'}
          </Button>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
