import { ActionIcon, Button, Group, Pill, Popover, Select, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconFilterPlus, IconFolderPlus, IconTrash } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Criterion } from '../api/types';
import { FilterForm } from './FilterForm';
import { groupOf, isFormable, type Join, worded } from './filter-keys';
import { added, DEEPEST, emptyGroups, grouped, type Place, placeInWords, rejoined, replaced } from './groups';

interface Props {
  filters: Criterion[];
  onChange: (filters: Criterion[]) => void;
  forDataset?: boolean;
  /** Says whether there is a group without filters, which nobody is told of by `onChange`. */
  onUnfinished?: (is: boolean) => void;
}

/** The filters as chips, of which all must match; how to add one, to change it, and to put some into groups. */
export function FilterBar({ filters: given, onChange, forDataset = false, onUnfinished }: Props) {
  const [draft, setDraft] = useState<Criterion[] | null>(null); // with a group that has no filter yet
  const [opened, setOpened] = useState<number | null>(null);
  const [seen, setSeen] = useState(given);
  const [told, setTold] = useState(given);
  if (seen !== given) {
    setSeen(given);
    const now = JSON.stringify(given);
    if (now !== JSON.stringify(seen) && now !== JSON.stringify(told)) {
      // changed from elsewhere
      setDraft(null);
      setOpened(null);
    }
  }
  const filters = draft ?? given;
  const edit = (next: Criterion[]) => {
    const unfinished = emptyGroups(next).length > 0;
    setDraft(unfinished ? next : null);
    onUnfinished?.(unfinished);
    if (!unfinished) {
      setTold(next);
      onChange(next);
    }
  };
  return (
    <Stack gap={6} role="group" aria-label="Filters" flex="1 1 260px" miw={0}>
      <Members
        filters={filters}
        edit={edit}
        forDataset={forDataset}
        place={[]}
        opened={opened}
        onOpen={setOpened}
        onClear={
          filters.length > 1
            ? () => {
                setOpened(null);
                edit([]);
              }
            : undefined
        }
      />
      {draft !== null && (
        <Text size="xs" c="dimmed" role="status">
          Group {emptyGroups(draft).map(placeInWords).join(', ')} is empty: put a filter into it, or remove it. Until then the filters count
          as they were before.
        </Text>
      )}
    </Stack>
  );
}

interface Whole {
  /** All filters, of which a part is shown, and what to do with them once that part was changed. */
  filters: Criterion[];
  edit: (filters: Criterion[]) => void;
  forDataset: boolean;
}

interface MembersProps extends Whole {
  place: Place;
  /** Of the outermost list: which group is open below it. */
  opened?: number | null;
  onOpen?: (index: number | null) => void;
  onClear?: () => void;
}

/** What stands in one list, and what can be added to it. */
function Members({ place, opened = null, onOpen, onClear, ...whole }: MembersProps) {
  const { filters, edit, forDataset } = whole;
  const adding = useRef<HTMLButtonElement>(null);
  const members = place.reduce<Criterion[]>((list, index) => groupOf(list[index] as Criterion)?.filters ?? [], filters);
  const where = place.length === 0 ? '' : ` to group ${placeInWords(place)}`;
  const removed = (index: number) => {
    adding.current?.focus(); // what had the focus is gone
    if (opened !== null && index <= opened) onOpen?.(index === opened ? null : opened - 1);
  };
  const remove = (index: number) => {
    edit(replaced(filters, [...place, index], null));
    removed(index);
  };
  const addGroup = () => {
    edit(added(filters, place, grouped('any_of', [])));
    onOpen?.(members.length);
  };
  const intoGroup = (index: number, criterion: Criterion) => {
    edit(replaced(filters, [...place, index], grouped('any_of', [criterion])));
    onOpen?.(index);
  };
  const group = opened === null ? undefined : members[opened];
  return (
    <>
      <Group gap={6} miw={0}>
        {members.map((member, index) => {
          const here = [...place, index];
          if (!groupOf(member)) {
            return (
              <FilterChip
                key={`filter ${index}`}
                criterion={member}
                forDataset={forDataset}
                onChange={(changed) => edit(replaced(filters, here, changed))}
                onGroup={place.length < DEEPEST ? () => intoGroup(index, member) : undefined}
                onRemove={() => remove(index)}
              />
            );
          }
          if (onOpen === undefined)
            return <GroupFields key={`group ${index}`} {...whole} group={member} place={here} onRemoved={() => removed(index)} />;
          return (
            <Chip
              key={`group ${index}`}
              words={worded(member)}
              what="group"
              isOpen={opened === index}
              onClick={() => onOpen(opened === index ? null : index)}
              onRemove={() => remove(index)}
            />
          );
        })}
        <Adding ref={adding} where={where} forDataset={forDataset} onAdd={(filter) => edit(added(filters, place, filter))} />
        {place.length < DEEPEST && (
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<IconFolderPlus size={13} />}
            aria-label={where ? `Add a group${where}` : undefined}
            onClick={addGroup}
          >
            Group
          </Button>
        )}
        {onClear && (
          <Button variant="subtle" size="compact-xs" color="gray" onClick={onClear}>
            Clear
          </Button>
        )}
      </Group>
      {opened !== null && group !== undefined && groupOf(group) && (
        <GroupFields {...whole} group={group} place={[opened]} onRemoved={() => removed(opened)} />
      )}
    </>
  );
}

const JOINED = [
  { value: 'any_of', label: 'any of these matches' },
  { value: 'all_of', label: 'all of these match' },
  { value: 'none_of', label: 'none of these matches' },
];

interface GroupProps extends Whole {
  group: Criterion;
  place: Place;
  onRemoved: () => void;
}

function GroupFields({ group, place, onRemoved, ...whole }: GroupProps) {
  const { filters, edit } = whole;
  const name = placeInWords(place);
  return (
    <fieldset className="filter-group" aria-label={`Group ${name}`}>
      <Group gap={6} wrap="nowrap" mb={6}>
        <Text size="xs" c="dimmed" className="figures">
          {name}
        </Text>
        <Select
          aria-label={`Group ${name} takes logs where`}
          w={190}
          data={JOINED}
          value={groupOf(group)?.join}
          onChange={(join) => edit(replaced(filters, place, rejoined(group, join as Join)))}
        />
        <ActionIcon
          aria-label={`Remove group ${name}`}
          onClick={() => {
            edit(replaced(filters, place, null));
            onRemoved();
          }}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
      <Members {...whole} place={place} />
    </fieldset>
  );
}

interface AddingProps {
  ref: React.Ref<HTMLButtonElement>;
  where: string;
  forDataset: boolean;
  onAdd: (filter: Criterion) => void;
}

function Adding({ ref, where, forDataset, onAdd }: AddingProps) {
  const [opened, setOpened] = useState(false);
  const [made, setMade] = useState(0); // each one with a form of its own
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" withinPortal trapFocus returnFocus width={300}>
      <Popover.Target>
        <Button
          ref={ref}
          variant="default"
          size="compact-xs"
          leftSection={<IconFilterPlus size={13} />}
          aria-label={where ? `Add a filter${where}` : undefined}
          onClick={() => setOpened(!opened)}
          aria-expanded={opened}
        >
          Filter
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <FilterForm
          key={made}
          forDataset={forDataset}
          onDone={(filter) => {
            setOpened(false);
            setMade(made + 1);
            onAdd(filter);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

interface ChipProps {
  criterion: Criterion;
  forDataset: boolean;
  onChange: (criterion: Criterion) => void;
  onGroup?: () => void;
  onRemove: () => void;
}

/** A filter in words; what the form can show whole is changed by it, everything else can only go. */
function FilterChip({ criterion, forDataset, onChange, onGroup, onRemove }: ChipProps) {
  const [opened, setOpened] = useState(false);
  if (!isFormable(criterion, forDataset)) return <Chip words={worded(criterion)} what="filter" onRemove={onRemove} />;
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" withinPortal trapFocus returnFocus width={300}>
      <Popover.Target>
        <Chip words={worded(criterion)} what="filter" isOpen={opened} onClick={() => setOpened(!opened)} onRemove={onRemove} />
      </Popover.Target>
      <Popover.Dropdown>
        <FilterForm
          key={JSON.stringify(criterion)}
          filter={criterion}
          forDataset={forDataset}
          onDone={(changed) => {
            setOpened(false);
            onChange(changed);
          }}
          onGroup={onGroup}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

interface WordsProps {
  words: string;
  what: 'filter' | 'group';
  isOpen?: boolean;
  onClick?: () => void;
  onRemove: () => void;
  ref?: React.Ref<HTMLDivElement>;
}

function Chip({ words, what, isOpen, onClick, onRemove, ref }: WordsProps) {
  return (
    <Pill
      ref={ref}
      size="sm"
      className="filter-pill"
      title={words}
      withRemoveButton
      onRemove={onRemove}
      removeButtonProps={{ 'aria-label': `Remove the ${what}: ${words}`, 'aria-hidden': false, tabIndex: 0 }}
    >
      {onClick === undefined ? (
        words
      ) : (
        <UnstyledButton className="chip" aria-label={`Change the ${what}: ${words}`} aria-expanded={isOpen} onClick={onClick}>
          <span>{words}</span>
          {what === 'group' && (isOpen ? <IconChevronUp size={12} /> : <IconChevronDown size={12} />)}
        </UnstyledButton>
      )}
    </Pill>
  );
}
