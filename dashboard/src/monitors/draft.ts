/** A monitor while it is typed, as it is sent, and as it is sent again. */
import type { Monitor, MonitorBody } from '../api/monitors';
import type { Criterion } from '../api/types';
import { type MarginDraft, toMargins } from '../trials/candidate.ts';
import type { About } from '../trials/unplaced';

/** Which logs are watched. `kept`: those of the monitor that is changed. */
export type Source = 'all' | 'datasets' | 'filters' | 'kept';

type Typed = string | number;

/** A part of the form. */
export interface PartProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  about: About;
}

export interface Draft {
  name: string;
  enabled: boolean;
  source: Source;
  datasets: string[];
  filters: Criterion[];
  types: string[];
  minutes: Typed;
  settle: Typed;
  /** Per cent. */
  share: Typed;
  most: Typed;
  cap: Typed;
  against: 'windows' | 'baseline';
  reference: Typed;
  baseline: string | null;
  fewest: Typed;
  /** What makes requests alike; '' for nothing. */
  cluster: string;
  /** Per cent. */
  weekly: Typed;
  margins: MarginDraft[];
  url: string;
  secret: string;
  failures: boolean;
  keep: Typed;
}

export function newDraft(): Draft {
  return {
    name: '',
    enabled: true,
    source: 'all',
    datasets: [],
    filters: [],
    types: ['human_feedback'],
    minutes: 1440,
    settle: 60,
    share: 100,
    most: '',
    cap: '',
    against: 'windows',
    reference: 7,
    baseline: null,
    fewest: 30,
    cluster: '',
    weekly: 5,
    margins: [],
    url: '',
    secret: '',
    failures: false,
    keep: 1000,
  };
}

const exact = (value: number) => Number(value.toPrecision(12));

/** The monitor as it is, to be changed. */
export function draftOf(monitor: Monitor): Draft {
  return {
    ...newDraft(),
    name: monitor.name,
    enabled: monitor.enabled,
    source: 'kept',
    types: monitor.evaluation_type_ids,
    minutes: monitor.interval_minutes,
    settle: monitor.settle_seconds,
    share: exact(100 * monitor.share),
    most: monitor.max_items ?? '',
    cap: monitor.daily_max_cost === null ? '' : Number(monitor.daily_max_cost),
    against: monitor.baseline_evaluation_id === null ? 'windows' : 'baseline',
    reference: monitor.reference_windows,
    baseline: monitor.baseline_evaluation_id,
    fewest: monitor.min_logs,
    cluster: monitor.cluster_by ?? '',
    weekly: exact(100 * monitor.weekly_alpha),
    margins: Object.entries(monitor.margins).map(([figure, { amount, unit }], at) => ({ key: -1 - at, figure, amount, unit })),
    url: monitor.webhook?.url ?? '',
    failures: monitor.notify_on_failure,
    keep: monitor.keep_windows,
  };
}

/**
 * The logs of a monitor as they can be asked for again. The filters of one dataset say the same as the dataset did
 * when it was chosen, whatever became of it; several can only be named, and are taken as they are now.
 */
export function sourceOf({ datasets }: Pick<Monitor, 'datasets'>): Pick<MonitorBody, 'dataset_ids' | 'filters'> {
  const [only] = datasets;
  if (datasets.length === 1 && only) return { filters: only.filters as MonitorBody['filters'] };
  return { dataset_ids: datasets.map((one) => one.id) };
}

function chosen(draft: Draft, kept: Monitor | undefined): Pick<MonitorBody, 'dataset_ids' | 'filters'> {
  if (draft.source === 'kept' && kept) return sourceOf(kept);
  if (draft.source === 'datasets') return { dataset_ids: draft.datasets };
  return draft.source === 'filters' ? { filters: draft.filters as MonitorBody['filters'] } : {};
}

/** A share typed in per cent; the very one that is kept where nobody changed it. */
function part(typed: Typed, kept: number | undefined): number {
  return kept !== undefined && Number(typed) === exact(100 * kept) ? kept : exact(Number(typed) / 100);
}

/** What is sent; a number that is missing is the server's to choose. */
export function bodyOf(draft: Draft, kept?: Monitor): MonitorBody {
  const given = (field: string, typed: Typed) => (typed === '' ? {} : { [field]: Number(typed) });
  return {
    name: draft.name.trim(),
    enabled: draft.enabled,
    ...chosen(draft, kept),
    evaluation_type_ids: draft.types,
    interval_minutes: Number(draft.minutes),
    ...given('settle_seconds', draft.settle),
    ...(draft.share !== '' && { share: part(draft.share, kept?.share) }),
    ...given('max_items', draft.most),
    ...given('daily_max_cost', draft.cap),
    ...given('reference_windows', draft.reference),
    baseline_evaluation_id: draft.against === 'baseline' ? draft.baseline : null,
    ...given('min_logs', draft.fewest),
    cluster_by: draft.cluster.trim() === '' ? null : draft.cluster.trim(),
    ...(draft.weekly !== '' && { weekly_alpha: part(draft.weekly, kept?.weekly_alpha) }),
    margins: toMargins(draft.margins),
    webhook: draft.url.trim() === '' ? null : { url: draft.url.trim(), ...(draft.secret !== '' && { secret: draft.secret }) },
    notify_on_failure: draft.failures,
    ...given('keep_windows', draft.keep),
  };
}

/** What is missing before it can be sent; null where nothing is. */
export function missingOf(draft: Draft): string | null {
  if (draft.name.trim() === '') return 'It needs a name.';
  if (draft.source === 'datasets' && draft.datasets.length === 0) return 'Choose a dataset.';
  if (draft.types.length === 0) return 'Choose what to find out.';
  if (draft.minutes === '') return 'How often?';
  if (draft.against === 'baseline' && draft.baseline === null) return 'Choose the evaluation to compare with.';
  if (draft.margins.some((one) => one.amount === '')) return 'A margin has no amount.';
  return null;
}

const ALWAYS_SHOWN = [
  'name',
  'interval_minutes',
  'settle_seconds',
  'share',
  'max_items',
  'daily_max_cost',
  'min_logs',
  'cluster_by',
  'weekly_alpha',
  'webhook',
  'keep_windows',
];

/** The body's fields that stand in the form as it is, so that the server's words have a place beside them. */
export function fieldsOf(draft: Draft): string[] {
  return [
    ...ALWAYS_SHOWN,
    ...(draft.source === 'datasets' ? ['dataset_ids'] : []),
    ...(draft.source === 'filters' ? ['filters'] : []),
    draft.against === 'windows' ? 'reference_windows' : 'baseline_evaluation_id',
  ];
}
