import { ActionIcon, Anchor, Card, Pagination, Table, Text, Title } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Monitor, useWindows, type Window } from '../api/monitors';
import { count, fullMoment, UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { Checks } from './Checks';
import { toldOf, told } from './findings';
import { FindingBadge, useTypes } from './MonitorParts';

const PER_PAGE = 10;
const COLUMNS = 6;

/** Every window, newest first; of the one that is opened, what it says of each question. */
export function Windows({ gateway, monitor }: { gateway: string; monitor: Monitor }) {
  const [page, setPage] = useState(1);
  const [opened, setOpened] = useState<string | null | undefined>(); // undefined: the newest that has ended
  const windows = useWindows(gateway, monitor, page, PER_PAGE);
  const total = windows.data?.info.total_count ?? 0;
  const items = windows.data?.items ?? [];
  const shown = opened === undefined ? items.find((one) => one.checks.length > 0)?.id : opened;
  return (
    <Card padding={0} component="section" aria-label="Windows">
      <Title order={2} p="sm" pb={4}>
        Windows
      </Title>
      {windows.isPending && <Loading />}
      {windows.isError && <Failed problem={windows.error} retry={() => void windows.refetch()} />}
      {windows.data && items.length === 0 && (
        <Empty title="No window has ended yet">
          {monitor.next_at === null
            ? 'It is paused, and counts nothing.'
            : `The first one is evaluated at ${fullMoment(monitor.next_at)}. “Run now” makes one at once, of the logs since the monitor was made.`}
        </Empty>
      )}
      {items.length > 0 && (
        <Table.ScrollContainer minWidth={860} type="native">
          <Table aria-label="Windows">
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={40}>
                  <span className="visually-hidden">Details</span>
                </Table.Th>
                <Table.Th>Until</Table.Th>
                <Table.Th ta="end">Logs</Table.Th>
                <Table.Th>What it says</Table.Th>
                <Table.Th>Notes</Table.Th>
                <Table.Th>
                  <span className="visually-hidden">Evaluation</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((window) => (
                <Row
                  key={window.id}
                  gateway={gateway}
                  window={window}
                  all={items}
                  isOpen={window.id === shown}
                  onToggle={() => setOpened(window.id === shown ? null : window.id)}
                />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {total > PER_PAGE && <Pagination p="sm" size="sm" total={Math.ceil(total / PER_PAGE)} value={page} onChange={setPage} />}
    </Card>
  );
}

interface RowProps {
  gateway: string;
  window: Window;
  /** The windows that stand beside it. */
  all: Window[];
  isOpen: boolean;
  onToggle: () => void;
}

function Row({ gateway, window, all, isOpen, onToggle }: RowProps) {
  const { directionOf } = useTypes();
  const when = fullMoment(window.until);
  const details = `window ${window.id}`.replaceAll(' ', '-');
  return (
    <>
      <Table.Tr>
        <Table.Td>
          {window.checks.length > 0 && (
            <ActionIcon
              onClick={onToggle}
              aria-expanded={isOpen}
              aria-controls={isOpen ? details : undefined}
              aria-label={`What the window until ${when} says in full`}
            >
              {isOpen ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
            </ActionIcon>
          )}
        </Table.Td>
        <Table.Th scope="row" className="figures" fw={400}>
          <Text size="sm" fw={600}>
            {when}
          </Text>
          <Text size="xs" c="dimmed">
            from {fullMoment(window.after)}
          </Text>
        </Table.Th>
        <Table.Td ta="end" className="figures">
          {window.finding === null ? UNKNOWN : count(window.total_logs)}
        </Table.Td>
        <Table.Td>
          <FindingBadge found={toldOf(window, directionOf)} />
          <Text size="xs" c="dimmed">
            <Subjects window={window} />
          </Text>
        </Table.Td>
        <Table.Td>
          <Text size="xs">{notesOf(window).join('; ') || UNKNOWN}</Text>
        </Table.Td>
        <Table.Td ta="end">
          {window.evaluation_id !== null && (
            <Anchor
              component={Link}
              size="sm"
              href={`/gateways/${encodeURIComponent(gateway)}/evaluations/${window.evaluation_id}`}
              aria-label={`Evaluation of the window until ${when}`}
            >
              Evaluation
            </Anchor>
          )}
        </Table.Td>
      </Table.Tr>
      {isOpen && (
        <Table.Tr id={details}>
          <Table.Td colSpan={COLUMNS} p={0}>
            <Checks window={window} all={all} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

/** Of which questions it says what it says as a whole. */
function Subjects({ window }: { window: Window }) {
  const { nameOf, directionOf } = useTypes();
  const whole = toldOf(window, directionOf);
  const alike = window.checks.filter((one) => told(one, directionOf(one.evaluation_type_id)).label === whole?.label);
  if (alike.length === window.checks.length && alike.length > 1) return `all ${count(alike.length)} questions`;
  return alike.map((one) => nameOf(one.evaluation_type_id)).join(', ');
}

/** What is to be known of a window beside its figures. */
function notesOf(window: Window): string[] {
  return [
    ...(window.note ? [window.note] : []),
    ...(window.asked ? ['asked for'] : []),
    ...(window.late_logs ? [`${count(window.late_logs)} logs came too late to be counted`] : []),
    ...(window.notice_id ? ['a notice was made of it'] : []),
  ];
}
