import { ActionIcon, Alert, Box, Button, Card, Group, Menu, Switch, Table, Text, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedCallback, useDisclosure, useLocalStorage } from '@mantine/hooks';
import {
  IconArrowDown,
  IconArrowUp,
  IconChevronLeft,
  IconChevronRight,
  IconColumns3,
  IconDatabasePlus,
  IconRefresh,
  IconSearch,
} from '@tabler/icons-react';
import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { type Choice, isNarrowed, useLogs } from '../api/logs';
import type { Log, PageInfo } from '../api/types';
import { DatasetModal } from '../datasets/DatasetModal';
import { count } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { useChoice } from './choice';
import { COLUMNS, type Column } from './columns';
import { FilterBar } from './FilterBar';
import { LogDrawer } from './LogDrawer';
import { NoLogsYet } from './NoLogsYet';

const USUAL = COLUMNS.filter((column) => column.usual).map((column) => column.id);

export default function LogsPage({ gateway }: { gateway: string }) {
  const [choice, change, isWhole] = useChoice();
  const [live, setLive] = useState(false);
  const [exact, setExact] = useState(false);
  const [shown, setShown] = useLocalStorage<string[]>({ key: 'gaugeway-log-columns', defaultValue: USUAL });
  const [creating, { open, close }] = useDisclosure();
  const [params, setParams] = useSearchParams();
  const [, go] = useLocation();
  const mayWrite = useMay('Write');
  const following = live && choice.page === 1;
  const logs = useLogs(gateway, choice, { live: following, exact });
  const columns = COLUMNS.filter((column) => shown.includes(column.id));
  const opened = params.get('log');
  const openLog = (id: string | null) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      if (id === null) after.delete('log');
      else after.set('log', id);
      return after;
    });
  const compared = params.get('compare');
  const compare = (id: string | null) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      after.delete('log');
      if (id === null) after.delete('compare');
      else after.set('compare', id);
      return after;
    });
  const choose = (id: string) =>
    compared === null || id === compared ? openLog(id) : go(`/gateways/${encodeURIComponent(gateway)}/logs/compare?ids=${compared},${id}`);
  const nothing = logs.data?.items.length === 0 && !isNarrowed(choice) && choice.page === 1;
  const first = useFirstArrival(nothing, logs.data?.items[0]?.id);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the log that arrived opens it, not a new function
  useEffect(() => {
    if (first !== undefined) openLog(first);
  }, [first]);

  return (
    <Page
      title="Logs"
      actions={
        <>
          <Switch label="Live" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
          <Tooltip label="Look again">
            <ActionIcon aria-label="Look again" onClick={() => void logs.refetch()} loading={logs.isFetching && !following}>
              <IconRefresh size={16} />
            </ActionIcon>
          </Tooltip>
          <ColumnMenu shown={shown} onChange={setShown} />
          {mayWrite && !nothing && (
            <Button variant="default" leftSection={<IconDatabasePlus size={14} />} onClick={open}>
              Create dataset from these filters
            </Button>
          )}
        </>
      }
    >
      {nothing ? (
        <NoLogsYet gateway={gateway} />
      ) : (
        <>
          {!isWhole && (
            <Alert color="yellow" variant="light" mb="xs" title="Not every filter of the address could be read">
              The list shows more logs than were meant.
            </Alert>
          )}
          <Group mb="xs" gap="xs" align="flex-start">
            <Search value={choice.search} onChange={(search) => change({ search })} />
            <FilterBar filters={choice.filters} onChange={(filters) => change({ filters })} />
          </Group>
          {compared !== null && (
            <Alert variant="light" mb="xs" role="status">
              <Group gap="xs">
                <Text size="sm">
                  Choose the log to compare with <span className="figures">{compared}</span>.
                </Text>
                <Button size="compact-xs" variant="default" onClick={() => compare(null)}>
                  Do not compare
                </Button>
              </Group>
            </Alert>
          )}
          {logs.data?.messages.map((message) => (
            <Alert key={message.code + message.message} color="yellow" variant="light" mb="xs">
              {message.message}
            </Alert>
          ))}
          <Card padding={0}>
            {logs.isPending && <Loading rows={12} />}
            {logs.isError && <Failed problem={logs.error} retry={() => void logs.refetch()} />}
            {logs.isSuccess && logs.data.items.length === 0 && (
              <Empty title="No log matches">
                Every filter must match, and the search looks into metadata. Filters on bodies look into those.{' '}
                <Button size="compact-xs" variant="default" onClick={() => change({ filters: [], search: '' })}>
                  Show all logs
                </Button>
              </Empty>
            )}
            {logs.isSuccess && logs.data.items.length > 0 && (
              <LogTable
                logs={logs.data.items}
                columns={columns}
                choice={choice}
                change={change}
                onOpen={choose}
                opened={opened ?? compared}
              />
            )}
          </Card>
          {logs.data && (
            <Pager
              info={logs.data.info}
              choice={choice}
              change={change}
              onCount={() => setExact(true)}
              counting={exact && logs.isFetching}
            />
          )}
        </>
      )}
      <LogDrawer
        gateway={gateway}
        log={opened}
        onClose={() => openLog(null)}
        onFilter={(filter) => change({ filters: [...choice.filters, filter] })}
        onCompare={compare}
      />
      {creating && <DatasetModal gateway={gateway} filters={choice.filters} search={choice.search} onClose={close} />}
    </Page>
  );
}

/** The id of the first log that came where there had been none. */
function useFirstArrival(nothing: boolean, newest: string | undefined): string | undefined {
  const [waited, setWaited] = useState(false);
  const [first, setFirst] = useState<string>();
  if (nothing && !waited) setWaited(true);
  if (waited && !nothing && first === undefined && newest !== undefined) setFirst(newest);
  return first;
}

function Search({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const settle = useDebouncedCallback(onChange, 300);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      aria-label="Search in metadata"
      placeholder="Search in metadata"
      leftSection={<IconSearch size={14} />}
      w={220}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        settle(event.currentTarget.value);
      }}
    />
  );
}

function ColumnMenu({ shown, onChange }: { shown: string[]; onChange: (ids: string[]) => void }) {
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <Tooltip label="Columns">
          <ActionIcon aria-label="Columns">
            <IconColumns3 size={16} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {COLUMNS.map((column) => (
          <Menu.CheckboxItem
            key={column.id}
            checked={shown.includes(column.id)}
            onChange={(wanted) => onChange(wanted ? [...shown, column.id] : shown.filter((id) => id !== column.id))}
          >
            {column.label}
          </Menu.CheckboxItem>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => onChange(USUAL)}>The usual ones</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface TableProps {
  logs: Log[];
  columns: Column[];
  choice: Choice;
  change: (change: Partial<Choice>) => void;
  onOpen: (id: string) => void;
  opened: string | null;
}

function LogTable({ logs, columns, choice, change, onOpen, opened }: TableProps) {
  const fresh = useFresh(logs);
  const openByMouse = (event: MouseEvent, id: string) => {
    if (!window.getSelection()?.toString() && !(event.target as HTMLElement).closest('button,a')) onOpen(id);
  };
  const openByKey = (event: KeyboardEvent, id: string) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onOpen(id);
  };
  return (
    <Table.ScrollContainer minWidth={columns.length * 84} type="native">
      <Table className="rows" highlightOnHover horizontalSpacing="xs" aria-label="Logs">
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Head key={column.id} column={column} choice={choice} change={change} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {logs.map((log) => (
            <Table.Tr
              key={log.id}
              data-opens
              tabIndex={0}
              className={fresh.has(log.id) ? 'fresh' : undefined}
              bg={log.id === opened ? 'var(--mantine-primary-color-light)' : undefined}
              aria-label={`Log of ${log.created_at}: open`}
              onClick={(event) => openByMouse(event, log.id)}
              onKeyDown={(event) => openByKey(event, log.id)}
            >
              {columns.map((column) => (
                <Table.Td key={column.id} className={column.end ? 'end' : undefined}>
                  {column.show(log)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** Those that were not there a moment ago; none at first. */
function useFresh(logs: Log[]): Set<string> {
  const known = useRef<Set<string> | null>(null);
  const before = known.current;
  useEffect(() => {
    known.current = new Set(logs.map((log) => log.id));
  }, [logs]);
  return new Set(before === null ? [] : logs.filter((log) => !before.has(log.id)).map((log) => log.id));
}

function Head({ column, choice, change }: { column: Column; choice: Choice; change: (change: Partial<Choice>) => void }) {
  const { order } = column;
  const sorted = order !== undefined && choice.order === order;
  const turn = () => change({ order, direction: sorted && choice.direction === 'desc' ? 'asc' : 'desc' });
  return (
    <Table.Th
      className={column.end ? 'end' : undefined}
      aria-sort={sorted ? (choice.direction === 'asc' ? 'ascending' : 'descending') : undefined}
    >
      {order === undefined ? (
        column.label
      ) : (
        <button type="button" className="sort" onClick={turn}>
          {column.label}
          {sorted && (choice.direction === 'asc' ? <IconArrowUp size={12} aria-hidden /> : <IconArrowDown size={12} aria-hidden />)}
        </button>
      )}
    </Table.Th>
  );
}

interface PagerProps {
  info: PageInfo;
  choice: Choice;
  change: (change: Partial<Choice>) => void;
  onCount: () => void;
  counting: boolean;
}

function Pager({ info, choice, change, onCount, counting }: PagerProps) {
  const first = (info.page - 1) * info.per_page + 1;
  const last = first + info.count - 1;
  const more = info.total_count === null ? info.count === info.per_page : last < info.total_count;
  return (
    <Group justify="space-between" mt="xs">
      <Group gap="xs">
        <Text size="xs" c="dimmed" className="figures" role="status">
          {info.count === 0
            ? 'Nothing on this page'
            : `${count(first)}–${count(last)} of ${info.total_count === null ? 'very many' : count(info.total_count)}`}
        </Text>
        {info.total_count === null && (
          <Button size="compact-xs" variant="subtle" onClick={onCount} loading={counting}>
            Count them
          </Button>
        )}
      </Group>
      <Box>
        <ActionIcon aria-label="Previous page" disabled={choice.page === 1} onClick={() => change({ page: choice.page - 1 })}>
          <IconChevronLeft size={16} />
        </ActionIcon>
        <ActionIcon aria-label="Next page" disabled={!more} onClick={() => change({ page: choice.page + 1 })}>
          <IconChevronRight size={16} />
        </ActionIcon>
      </Box>
    </Group>
  );
}
