import { Box, Text } from '@mantine/core';
import { IconAlertCircle, IconArrowsSplit2, IconCpu, IconFlag, IconGauge, IconPercentage, IconPlayerPlay } from '@tabler/icons-react';
import { useMemo } from 'react';
import { described, type Draft, type Kind, KINDS, type Problem, summary, wayName } from './elements';
import { layOut, pathOf, ROW, WIDTH } from './layout';

const ICONS: Record<Kind, typeof IconCpu> = {
  start: IconPlayerPlay,
  conditional: IconArrowsSplit2,
  percentage: IconPercentage,
  rate: IconGauge,
  model: IconCpu,
  end: IconFlag,
};

interface Props {
  drafts: Draft[];
  problems: Problem[];
  selected: string | null;
  onSelect: (key: string) => void;
}

/** The route as it is followed, from left to right. Each element is a button, and says in words where it leads. */
export function Graph({ drafts, problems, selected, onSelect }: Props) {
  const { elements, lines, width, height } = useMemo(() => layOut(drafts), [drafts]);
  const inOrder = elements
    .map((place, index) => ({ place, index, draft: drafts[index] as Draft }))
    .sort((one, other) => one.place.x - other.place.x || one.place.y - other.place.y);
  return (
    <div className="route" tabIndex={-1}>
      <Box pos="relative" w={width} h={height}>
        <svg width={width} height={height} aria-hidden>
          {lines.map(({ from, label, to, points }) => (
            <path key={`${from} ${label}`} d={pathOf(points)} className={from === selected || to === selected ? 'near' : undefined} />
          ))}
          {lines.map(({ from, label, points }) => {
            const [x, y] = points.at(-1) as [number, number];
            return <path key={`${from} ${label}`} className="tip" d={`M${x - 7} ${y - 4} L${x} ${y} L${x - 7} ${y + 4} Z`} />;
          })}
        </svg>
        <ol aria-label="Elements of the route">
          {inOrder.map(({ place, index, draft }) => (
            <li key={draft.key} style={{ left: place.x, top: place.y, width: WIDTH, height: place.height }}>
              <Node
                draft={draft}
                drafts={drafts}
                wrong={problems.find((one) => one.index === index)?.message}
                pressed={draft.key === selected}
                onSelect={() => onSelect(draft.key)}
              />
            </li>
          ))}
        </ol>
      </Box>
    </div>
  );
}

function Node({
  draft,
  drafts,
  wrong,
  pressed,
  onSelect,
}: {
  draft: Draft;
  drafts: Draft[];
  wrong?: string;
  pressed: boolean;
  onSelect: () => void;
}) {
  const Icon = wrong ? IconAlertCircle : ICONS[draft.kind];
  const words = described(draft, drafts);
  const line = summary(draft);
  return (
    <button
      type="button"
      className="element"
      data-kind={draft.kind}
      data-wrong={wrong ? true : undefined}
      aria-pressed={pressed}
      title={wrong ?? line}
      onClick={onSelect}
    >
      <span className="visually-hidden">{`${KINDS[draft.kind]} ${draft.id}: ${line}. ${words}.${wrong ? ` Wrong: ${wrong}` : ''}`}</span>
      <span className="name" aria-hidden>
        <Icon size={14} aria-hidden />
        <span className="cell">{draft.id}</span>
      </span>
      <Text component="span" size="xs" c="dimmed" className="cell" aria-hidden>
        {line}
      </Text>
      {draft.ways.map(({ label, to }, way) => (
        <span key={way} className="way" aria-hidden style={{ height: ROW }} data-open={to === null || undefined}>
          {wayName(draft.kind, label)}
        </span>
      ))}
    </button>
  );
}
