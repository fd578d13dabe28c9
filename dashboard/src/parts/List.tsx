import { ActionIcon, Anchor, Card, Group, Pagination, Table, Text, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { type ReactNode, useEffect } from 'react';
import { Link } from 'wouter';
import type { PageInfo } from '../api/types';
import { ago, fullMoment } from './format';
import { Failed, Loading } from './States';

export interface Column<T> {
  label: string;
  /** Its label is for those only who cannot see the table. */
  unlabelled?: boolean;
  show: (item: T) => ReactNode;
  /** A figure: it stands at the end of its column. */
  end?: boolean;
  /** Its text may take several lines. */
  wraps?: boolean;
}

type Found<T> = { items: T[]; info?: PageInfo };

interface Props<T> {
  label: string;
  query: { data?: Found<T>; isPending: boolean; error: Error | null; refetch: () => unknown };
  columns: Column<T>[];
  /** What can be done with an item; undefined: the reader may do nothing with any. */
  actions?: (item: T) => ReactNode;
  empty: ReactNode;
  minWidth?: number;
  rows?: number;
  idOf?: (item: T) => string;
  onPage?: (page: number) => void;
  /** Stands above the table, in its frame. */
  children?: ReactNode;
}

/** A list as a table, on its way, refused, empty, or page by page. */
export function List<T>({ label, query, columns, actions, empty, minWidth = 640, rows, idOf, onPage, children }: Props<T>) {
  const { data } = query;
  const total = data?.info?.total_count ?? 0;
  const pages = Math.max(1, Math.ceil(total / (data?.info?.per_page ?? 1)));
  const page = data?.info?.page ?? 1;
  useEffect(() => {
    if (page > pages) onPage?.(pages); // the last one of the last page went
  }, [page, pages, onPage]);
  return (
    <>
      <Card padding={0}>
        {children}
        {query.isPending && <Loading rows={rows} />}
        {query.error && <Failed problem={query.error} retry={() => void query.refetch()} />}
        {data?.items.length === 0 && total === 0 && empty}
        {data && data.items.length > 0 && (
          <Table.ScrollContainer minWidth={minWidth} type="native">
            <Table className="rows" aria-label={label}>
              <Table.Thead>
                <Table.Tr>
                  {columns.map((column) => (
                    <Table.Th key={column.label} className={column.end ? 'end' : undefined}>
                      {column.unlabelled ? <span className="visually-hidden">{column.label}</span> : column.label}
                    </Table.Th>
                  ))}
                  {actions && (
                    <Table.Th>
                      <span className="visually-hidden">Actions</span>
                    </Table.Th>
                  )}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {data.items.map((item) => (
                  <Table.Tr key={idOf ? idOf(item) : (item as { id: string }).id}>
                    {columns.map((column) => (
                      <Table.Td
                        key={column.label}
                        className={column.end ? 'end figures' : undefined}
                        style={column.wraps ? { whiteSpace: 'normal' } : undefined}
                      >
                        {column.show(item)}
                      </Table.Td>
                    ))}
                    {actions && (
                      <Table.Td className="end">
                        <Group gap={2} wrap="nowrap" justify="flex-end">
                          {actions(item)}
                        </Group>
                      </Table.Td>
                    )}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {pages > 1 && onPage && <Pagination mt="sm" size="sm" total={pages} value={page} onChange={onPage} />}
    </>
  );
}

/** An item's name, which may lead to its page. */
export function Named({ name, href }: { name: string; href?: string }) {
  const looks = { size: 'sm', fw: 600, className: 'cell', title: name };
  return href === undefined ? (
    <Text {...looks}>{name}</Text>
  ) : (
    <Anchor component={Link} href={href} {...looks}>
      {name}
    </Anchor>
  );
}

/** How long ago; the moment itself for whoever points at it. */
export function Ago({ at }: { at: string }) {
  return <span title={fullMoment(at)}>{ago(at)}</span>;
}

interface ActionProps {
  label: string;
  /** The item; with the label it says what this does to whom. */
  of?: string;
  name?: string;
  icon: ReactNode;
  onClick?: () => void;
  href?: string;
}

/** One thing that can be done with an item, as a sign. */
export function Action({ label, of, name = `${label} ${of}`, icon, onClick, href }: ActionProps) {
  return (
    <Tooltip label={label}>
      {href === undefined ? (
        <ActionIcon aria-label={name} onClick={onClick}>
          {icon}
        </ActionIcon>
      ) : (
        <ActionIcon component={Link} href={href} aria-label={name}>
          {icon}
        </ActionIcon>
      )}
    </Tooltip>
  );
}

export function Delete({ of, onClick }: { of: string; onClick: () => void }) {
  return <Action label="Delete" of={of} icon={<IconTrash size={16} />} onClick={onClick} />;
}
