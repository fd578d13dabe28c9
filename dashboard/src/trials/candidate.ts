/** A candidate while it is typed, and as it is sent. */
import type { CandidateBody, MarginBody } from '../api/trials';

export type Prompt = 'kept' | 'system' | 'append_system';

export interface CandidateDraft {
  key: number;
  label: string;
  model: string;
  prompt: Prompt;
  words: string;
  /** JSON; "" for none. */
  parameters: string;
  /** Dollars for a million tokens; "" where prices are known. */
  priceIn: string | number;
  priceOut: string | number;
}

let keys = 0;

export function newCandidate(): CandidateDraft {
  keys += 1;
  return { key: keys, label: '', model: '', prompt: 'kept', words: '', parameters: '', priceIn: '', priceOut: '' };
}

/** The parameters that are typed; null where they are no JSON object. */
export function parametersOf(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {};
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Whether it changes anything: else it would ask the same again. */
export function changesSomething({ model, prompt, words, parameters }: CandidateDraft): boolean {
  return model.trim() !== '' || (prompt !== 'kept' && words !== '') || Object.keys(parametersOf(parameters) ?? {}).length > 0;
}

export function toCandidate(draft: CandidateDraft): CandidateBody {
  const price = (typed: string | number) => (typed === '' ? null : Number((Number(typed) / 1_000_000).toPrecision(12)));
  return {
    label: draft.label.trim() === '' ? null : draft.label.trim(),
    model: draft.model.trim() === '' ? null : draft.model.trim(),
    parameters: parametersOf(draft.parameters) ?? {},
    cost_per_token_in: price(draft.priceIn),
    cost_per_token_out: price(draft.priceOut),
    ...(draft.prompt !== 'kept' && { [draft.prompt]: draft.words }),
  };
}

export interface MarginDraft {
  key: number;
  figure: string;
  amount: string | number;
  unit: 'percent' | 'absolute';
}

/** How much worse still passes, by figure; what has no amount yet says nothing. */
export function toMargins(drafts: MarginDraft[]): Record<string, MarginBody> {
  const given = drafts.filter((one) => one.figure !== '' && one.amount !== '');
  return Object.fromEntries(given.map(({ figure, amount, unit }) => [figure, { amount: Number(amount), unit }]));
}
