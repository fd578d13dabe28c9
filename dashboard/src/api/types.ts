/** What the management API answers with. Its requests are typed by `schema.d.ts`, which is generated. */

export interface Session {
  account_id: string;
  token_id: string;
  token_name: string;
  email: string;
  permissions: string[];
  csrf: string;
  expires_on: string;
}

export interface PageInfo {
  count: number;
  page: number;
  per_page: number;
  /** null: counting would take long, so it is not known. */
  total_count: number | null;
}

export interface Message {
  code: number;
  message: string;
}

export interface Part<T> {
  items: T[];
  info: PageInfo;
  messages: Message[];
}

export type Scalar = string | number | boolean | null;

export interface Filter {
  key: string;
  operator: string;
  value: Scalar[];
}

/** What a list of filters may hold: filters, and groups of them. */
export type Criterion = Filter | { all_of: Criterion[] } | { any_of: Criterion[] } | { none_of: Criterion[] };

export interface Gateway extends Record<string, unknown> {
  id: string;
  created_at: string;
  modified_at: string;
  authentication: boolean;
  collect_logs: boolean;
  cache_ttl: number;
}

export interface Attempt {
  provider: string;
  step: number;
  status_code: number | null;
  duration: number;
  error: string | null;
  may_be_billed: boolean;
  counted: string | null;
}

export interface Log {
  id: string;
  created_at: string;
  provider: string;
  model: string;
  response_model: string | null;
  path: string;
  method: string;
  duration: number;
  first_byte_ms: number | null;
  status_code: number | null;
  success: boolean;
  outcome: string;
  error: string | null;
  cached: boolean;
  tokens_in: number | null;
  tokens_out: number | null;
  usage_metadata: Record<string, number> | null;
  usage_estimated: boolean;
  cost: number | null;
  cost_exact: string | null;
  cost_reason: string | null;
  cost_saved: string | null;
  custom_cost: boolean;
  metadata: Record<string, Scalar> | null;
  step: number;
  event_id: string;
  user_agent: string | null;
  authentication: boolean;
  feedback: number | null;
  score: number | null;
  request_content_type: string | null;
  response_content_type: string | null;
  request_size: number;
  response_size: number;
  attempts: Attempt[];
  bodies_lost: boolean;
}

export interface LogDetail extends Log {
  request_head: string | null;
  request_head_complete: boolean;
  response_head: string | null;
  response_head_complete: boolean;
}

export interface Dataset {
  id: string;
  name: string;
  enable: boolean;
  filters: Criterion[];
  created_at: string;
  modified_at: string;
}

export interface EvaluationType {
  id: string;
  name: string;
  type: string;
  description: string;
  unit: string;
  direction: string;
  /** false: it needs parameters first, as a custom type, or it is not run here. */
  enable: boolean;
  /** Why this server does not run it; null where it does. */
  refusal: string | null;
  created_at: string;
  evaluator_id: string;
  parameters: Record<string, unknown> | null;
  parameters_schema: ParametersSchema | null;
}

export interface ParametersSchema {
  properties?: Record<string, { description?: string; type?: string; enum?: unknown[]; default?: unknown }>;
  required?: string[];
}

/** What one member of a panel of judges said of a log. */
export interface Vote {
  model: string;
  verdict: string | null;
  score: number | null;
  failed: boolean;
  note: string;
}

/** How far a panel's members agree. */
export interface PanelAgreement {
  measure: string;
  shared_logs: number;
  alpha: { value: number | null; low: number | null; high: number | null; note: string | null };
  members: { model: string; verdicts: number; failed: number; with_panel: number | null }[];
}

/** One log's part in a figure. */
export interface Item {
  log_id: string;
  log_deleted: boolean;
  evaluation_type_id: string;
  status: 'scored' | 'failed' | 'skipped';
  score: number | null;
  note: string | null;
  /** Null where no panel judges. */
  votes: Vote[] | null;
}

/** A figure with what it was computed from. Numbers are decimal strings; "" and null mean that there is none. */
export interface Metric {
  evaluation_type_id: string;
  result: string;
  total_logs: number;
  skipped: number;
  failed: number;
  low: string | null;
  high: string | null;
  interval_level: number | null;
  interval_method: string | null;
  interval_note: string | null;
  unit: string | null;
  direction: string | null;
  /** Null where no panel judges, and before there is a figure. */
  agreement: PanelAgreement | null;
}

/** One evaluation type's figure. */
export interface Result extends Metric {
  id: string;
  /** 0 queued, 1 running, 2 completed, 3 completed without usable logs, 4 failed, 5 cancelled */
  status: number;
  status_description: string;
  pending: number;
}

export interface Evaluation {
  id: string;
  name: string;
  created_at: string;
  modified_at: string;
  processed: boolean;
  total_logs: number;
  datasets: Dataset[];
  /** Whose frozen logs it is about, in place of its datasets' live ones. */
  snapshot: { id: string; name: string; hash: string; items: number; expected_version: number } | null;
  results: Result[];
}

/** One side of a comparison against the first, for one question. */
export interface Difference {
  evaluation_type_id: string;
  baseline: string;
  side: string;
  verdict: string;
  words: string;
  difference: string | null;
  low: string | null;
  high: string | null;
  interval_level: number | null;
  interval_method: string | null;
  test: string | null;
  p_value: number | null;
  adjusted_p_value: number | null;
  smallest_detectable: string | null;
  more_needed: number | null;
  note: string | null;
  paired: { by: string; items: number; unmatched_in_baseline: number; unmatched_in_side: number } | null;
  unit: string;
  direction: string;
}

export interface Comparison {
  baseline: string;
  sides: { label: string; total_logs: number; also_in_baseline: number | null }[];
  differences: Difference[];
}

export interface Breakdown {
  by: string;
  total_logs: number;
  note: string | null;
  groups: { group: string | null; total_logs: number; results: Metric[] }[];
  not_broken_down: string[];
  other_groups: number;
  other_logs: number;
}
