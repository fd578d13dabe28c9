import { Alert, Button, Card, Group, Menu, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { ApiError } from '../api/client';
import { type Draft, inserted, type Kind, KINDS, newElement, type Problem, problemsOf, toElements, without } from './elements';
import { ElementForm } from './ElementForm';
import { Graph } from './Graph';

const ADDED: Kind[] = ['model', 'conditional', 'percentage', 'rate', 'end'];

/** What is wrong with a draft, by element; the first one that is, is opened. */
export function useProblems(drafts: Draft[], onFirst: (key: string) => void) {
  const [problems, setProblems] = useState<Problem[]>([]);
  const tell = (found: Problem[]) => {
    setProblems(found);
    const first = drafts[found[0]?.index ?? -1];
    if (first) onFirst(first.key);
  };
  return {
    problems,
    setProblems,
    /** The elements, where they can be sent; else it says what keeps them from it. */
    ready: () => {
      const { elements, problems: found } = toElements(drafts);
      tell(found);
      return found.length === 0 ? elements : null;
    },
    /** Where the server refused elements; other refusals are none of theirs. */
    refused: (problem: Error) => tell(aboutElements(problem)),
  };
}

/** What a refusal says of elements; nothing where it is about something else. */
export function aboutElements(problem: Error): Problem[] {
  return problem instanceof ApiError ? problemsOf(problem.errors).filter((one) => one.index >= 0 || one.path[0] === 'elements') : [];
}

interface Props {
  gateway: string;
  drafts: Draft[];
  problems: Problem[];
  selected: string | null;
  readOnly: boolean;
  onSelect: (key: string | null) => void;
  onChange: (drafts: Draft[], problems: Problem[]) => void;
}

/** The graph, and the element that is chosen in it. */
export function Editor({ gateway, drafts, problems, selected, readOnly, onSelect, onChange }: Props) {
  const index = drafts.findIndex((draft) => draft.key === selected);
  const chosen = drafts[index];
  const general = problems.filter((one) => one.index < 0);
  const add = (kind: Kind) => {
    const end = drafts.find((draft) => draft.kind === 'end')?.key ?? null;
    const added = newElement(kind, drafts, end);
    onChange([...drafts, added], []);
    onSelect(added.key);
  };
  const insert = (way: number, kind: Kind) => {
    if (!chosen) return;
    const { drafts: changed, added } = inserted(drafts, chosen.key, way, kind);
    onChange(changed, []);
    onSelect(added.key);
  };
  const remove = () => {
    if (!chosen) return;
    onChange(without(drafts, chosen.key), []);
    onSelect(null);
  };
  return (
    <Stack gap="sm">
      <Card padding={0} miw={0}>
        {general.map((one) => (
          <Alert key={one.message} color="red" variant="light" m="sm" role="alert">
            <Text size="sm">{one.message}</Text>
          </Alert>
        ))}
        <Graph drafts={drafts} problems={problems} selected={selected} onSelect={onSelect} />
        {!readOnly && (
          <Group p="xs" pt={0}>
            <Menu position="bottom-start">
              <Menu.Target>
                <Button variant="default" leftSection={<IconPlus size={14} />}>
                  Add an element
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {ADDED.map((kind) => (
                  <Menu.Item key={kind} onClick={() => add(kind)}>
                    {KINDS[kind]}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
            <Text size="xs" c="dimmed">
              Choose an element to change it, or where it leads.
            </Text>
          </Group>
        )}
      </Card>
      <Card miw={0}>
        {chosen ? (
          <ElementForm
            key={chosen.key}
            gateway={gateway}
            draft={chosen}
            drafts={drafts}
            problems={problems.filter((one) => one.index === index)}
            readOnly={readOnly}
            onChange={(changed) =>
              onChange(
                drafts.map((one) => (one.key === changed.key ? changed : one)),
                problems.filter((one) => one.index !== index),
              )
            }
            onInsert={insert}
            onRemove={remove}
          />
        ) : (
          <Text size="sm" c="dimmed">
            No element is chosen.
          </Text>
        )}
      </Card>
    </Stack>
  );
}
