/**
 * Where a route's elements stand: columns from left to right by their distance from the start, each as high as what
 * leads to it. A way over several columns keeps a lane free in each, so that no line crosses an element.
 */

import type { Draft } from './elements';

export const WIDTH = 176;
const COLUMN = WIDTH + 52;
const HEAD = 46;
export const ROW = 18;
const GAP = 22;
const LANE = 10;
const SWEEPS = 6;

export interface Placed {
  key: string;
  x: number;
  y: number;
  height: number;
}

export interface Line {
  from: string;
  label: string;
  to: string;
  points: [number, number][];
}

export interface Layout {
  elements: Placed[];
  lines: Line[];
  width: number;
  height: number;
}

interface Cell {
  key: string;
  layer: number;
  height: number;
  y: number;
  from: Port[];
  to: Cell[];
}

interface Port {
  cell: Cell;
  offset: number;
}

export function heightOf(ways: number): number {
  return HEAD + ways * ROW + (ways > 0 ? 6 : 0);
}

/** Below an element's top: where the line of one of its ways begins. */
function portOffset(way: number): number {
  return HEAD + way * ROW + ROW / 2;
}

export function layOut(drafts: Draft[]): Layout {
  const layers = layersOf(drafts);
  const cells = new Map<string, Cell>();
  for (const draft of drafts) {
    cells.set(draft.key, {
      key: draft.key,
      layer: layers.get(draft.key) ?? 0,
      height: heightOf(draft.ways.length),
      y: 0,
      from: [],
      to: [],
    });
  }
  const all = [...cells.values()];
  const ways: { from: Cell; label: string; way: number; to: Cell; lanes: Cell[] }[] = [];
  for (const draft of drafts) {
    draft.ways.forEach(({ label, to }, way) => {
      const source = cells.get(draft.key);
      const target = to === null ? undefined : cells.get(to);
      if (!source || !target) return;
      const lanes: Cell[] = [];
      let before: Port = { cell: source, offset: portOffset(way) };
      for (let layer = source.layer + 1; layer < target.layer; layer += 1) {
        const lane: Cell = { key: `${draft.key} ${way} ${layer}`, layer, height: LANE, y: 0, from: [before], to: [] };
        before.cell.to.push(lane);
        lanes.push(lane);
        before = { cell: lane, offset: LANE / 2 };
      }
      target.from.push(before);
      before.cell.to.push(target);
      ways.push({ from: source, label, way, to: target, lanes });
      all.push(...lanes);
    });
  }
  settle(all);
  const top = all.length > 0 ? Math.min(...all.map((cell) => cell.y)) : 0;
  for (const cell of all) cell.y = Math.round(cell.y - top);
  return {
    elements: drafts.map((draft) => place(cells.get(draft.key) as Cell)),
    lines: ways.map(({ from, label, way, to, lanes }) => ({ from: from.key, label, to: to.key, points: pointsOf(from, way, to, lanes) })),
    width: (Math.max(0, ...all.map((cell) => cell.layer)) + 1) * COLUMN - (COLUMN - WIDTH),
    height: Math.max(0, ...all.map((cell) => cell.y + cell.height)),
  };
}

function place(cell: Cell): Placed {
  return { key: cell.key, x: cell.layer * COLUMN, y: cell.y, height: cell.height };
}

function pointsOf(from: Cell, way: number, to: Cell, lanes: Cell[]): [number, number][] {
  const points: [number, number][] = [[from.layer * COLUMN + WIDTH, from.y + portOffset(way)]];
  for (const lane of lanes) {
    const middle = lane.y + LANE / 2;
    points.push([lane.layer * COLUMN, middle], [lane.layer * COLUMN + WIDTH, middle]);
  }
  points.push([to.layer * COLUMN, to.y + 15]);
  return points;
}

/** Columns by the longest way to them. A way back, which only a draft can have, is left out of account. */
function layersOf(drafts: Draft[]): Map<string, number> {
  const byKey = new Map(drafts.map((draft) => [draft.key, draft]));
  const state = new Map<string, 'open' | 'done'>();
  const order: Draft[] = [];
  const forward: [string, string][] = [];
  const visit = (draft: Draft): void => {
    state.set(draft.key, 'open');
    for (const { to } of draft.ways) {
      const target = to === null ? undefined : byKey.get(to);
      if (!target || state.get(target.key) === 'open') continue;
      forward.push([draft.key, target.key]);
      if (!state.has(target.key)) visit(target);
    }
    state.set(draft.key, 'done');
    order.unshift(draft);
  };
  for (const draft of [...drafts].sort((one, other) => Number(other.kind === 'start') - Number(one.kind === 'start'))) {
    if (!state.has(draft.key)) visit(draft);
  }
  const layers = new Map(drafts.map((draft) => [draft.key, 0]));
  for (const draft of order) {
    const layer = layers.get(draft.key) ?? 0;
    for (const [from, to] of forward) if (from === draft.key) layers.set(to, Math.max(layers.get(to) ?? 0, layer + 1));
  }
  const last = Math.max(0, ...layers.values());
  for (const draft of drafts) if (draft.kind === 'end' && layers.get(draft.key) !== 0) layers.set(draft.key, last);
  return layers;
}

/** Moves cells towards what they are joined to, first from the left, then from the right, until they stand quietly. */
function settle(cells: Cell[]): void {
  const columns: Cell[][] = [];
  for (const cell of cells) (columns[cell.layer] ??= []).push(cell);
  const wanted = (cell: Cell, back: boolean): number => {
    const towards = back
      ? cell.to.map((next) => next.y + next.height / 2 - cell.height / 2)
      : cell.from.map(({ cell: before, offset }) => before.y + offset - Math.min(15, cell.height / 2));
    return towards.length === 0 ? cell.y : towards.reduce((sum, y) => sum + y, 0) / towards.length;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const back = sweep % 2 === 1;
    const ordered = back ? [...columns].reverse() : columns;
    for (const column of ordered) {
      const goals = new Map(column.map((cell) => [cell, wanted(cell, back && sweep < SWEEPS - 1)]));
      if (!back) column.sort((one, other) => (goals.get(one) ?? 0) - (goals.get(other) ?? 0));
      stack(column, goals);
    }
  }
}

/** One below the other in their order, as near to their goals as that allows. */
function stack(column: Cell[], goals: Map<Cell, number>): void {
  let bottom = -Infinity;
  for (const cell of column) {
    cell.y = Math.max(goals.get(cell) ?? 0, bottom);
    bottom = cell.y + cell.height + GAP;
  }
  const drift = column.reduce((sum, cell) => sum + cell.y - (goals.get(cell) ?? 0), 0) / column.length;
  for (const cell of column) cell.y -= drift;
}

/** A smooth line through its points, as an SVG path. */
export function pathOf(points: [number, number][]): string {
  const [first, ...rest] = points as [[number, number], ...[number, number][]];
  let [x, y] = first;
  let path = `M${x} ${Math.round(y)}`;
  for (const [nextX, nextY] of rest) {
    const bend = Math.max(24, Math.abs(nextX - x) / 2);
    path += ` C${x + bend} ${Math.round(y)} ${nextX - bend} ${Math.round(nextY)} ${nextX} ${Math.round(nextY)}`;
    [x, y] = [nextX, nextY];
  }
  return path;
}
