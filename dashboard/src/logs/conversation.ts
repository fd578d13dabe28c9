/**
 * Reads logged bodies as a conversation, whatever provider's format they have.
 *
 * It believes nothing: bodies come from strangers, so each field may be missing or of another type. What it does not
 * understand it leaves out of the conversation; the raw body is always beside it.
 */

export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'thinking'; text: string }
  | { kind: 'image'; source: string }
  | { kind: 'call'; name: string; input: string; id?: string }
  | { kind: 'result'; text: string; id?: string }
  | { kind: 'other'; label: string; text: string };

export interface Turn {
  role: string;
  pieces: Piece[];
}

type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
}

// --- requests --------------------------------------------------------------------------------------------------

/** The turns of a request's body; empty where it is none that is known. */
export function readRequest(body: unknown): Turn[] {
  if (!isObject(body)) return [];
  const turns: Turn[] = [];
  const system = body.system ?? body.instructions ?? body.systemInstruction ?? body.system_instruction ?? body.preamble;
  if (system !== undefined && system !== null) add(turns, 'system', readContent(isObject(system) ? system.parts : system));
  for (const message of list(body.messages)) turns.push(...readMessage(message));
  for (const message of list(body.chat_history)) turns.push(...readMessage(message));
  for (const content of list(body.contents)) turns.push(...readMessage(content));
  if (typeof body.input === 'string') add(turns, 'user', [{ kind: 'text', text: body.input }]);
  else for (const item of list(body.input)) turns.push(...readMessage(item));
  for (const name of ['prompt', 'message', 'text', 'query']) {
    const value = text(body[name]);
    if (value !== undefined) add(turns, 'user', [{ kind: 'text', text: value }]);
  }
  return turns;
}

function add(turns: Turn[], role: string, pieces: Piece[]): void {
  if (pieces.length > 0) turns.push({ role, pieces });
}

function readMessage(message: unknown): Turn[] {
  if (typeof message === 'string') return [{ role: 'user', pieces: [{ kind: 'text', text: message }] }];
  if (!isObject(message)) return [];
  const role = (text(message.role) ?? roleOfItem(message)).toLowerCase();
  const pieces: Piece[] = [];
  const reasoning = text(message.reasoning_content) ?? text(message.reasoning);
  if (reasoning) pieces.push({ kind: 'thinking', text: reasoning });
  if (role === 'tool' && message.type === undefined) {
    pieces.push({ kind: 'result', text: flat(message.content), id: text(message.tool_call_id) });
  } else {
    pieces.push(...readContent(message.content ?? message.parts ?? message.message));
    if (pieces.length === 0 && typeof message.type === 'string') pieces.push(...readPart(message));
  }
  if (text(message.refusal)) pieces.push({ kind: 'other', label: 'refusal', text: shown(message.refusal) });
  pieces.push(...readToolCalls(message.tool_calls));
  if (isObject(message.function_call)) pieces.push(...readToolCalls([{ function: message.function_call }]));
  return pieces.length > 0 ? [{ role, pieces }] : [];
}

function roleOfItem(item: Json): string {
  const type = text(item.type) ?? '';
  if (type.endsWith('_output')) return 'tool';
  return type === '' || type === 'text' || type.startsWith('input') ? 'user' : 'assistant';
}

function flat(content: unknown): string {
  if (typeof content === 'string') return content;
  const pieces = readContent(content);
  const plain = pieces.every((piece) => piece.kind === 'text') && pieces.length > 0;
  return plain ? pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('\n') : shown(content);
}

function readToolCalls(calls: unknown): Piece[] {
  return list(calls)
    .filter(isObject)
    .map((call) => {
      const made = isObject(call.function) ? call.function : call;
      return { kind: 'call', name: text(made.name) ?? 'a tool', input: pretty(made.arguments ?? made.parameters), id: text(call.id) };
    });
}

function pretty(value: unknown): string {
  if (typeof value !== 'string') return value === undefined ? '' : shown(value);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

function readContent(content: unknown): Piece[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return list(content).flatMap((part) =>
    typeof part === 'string' ? [{ kind: 'text', text: part } as Piece] : isObject(part) ? readPart(part) : [],
  );
}

/** One part of a message's content, in any of the providers' shapes. */
function readPart(part: Json): Piece[] {
  const type = text(part.type) ?? '';
  if (part.thought === true && text(part.text)) return [{ kind: 'thinking', text: shown(part.text) }];
  if (type === 'thinking') return [{ kind: 'thinking', text: shown(part.thinking) }];
  if (type === 'reasoning')
    return readContent(part.summary).map((piece) => (piece.kind === 'text' ? { kind: 'thinking', text: piece.text } : piece));
  if (type === 'tool_use') return [{ kind: 'call', name: text(part.name) ?? 'a tool', input: shown(part.input), id: text(part.id) }];
  if (type === 'function_call')
    return [{ kind: 'call', name: text(part.name) ?? 'a tool', input: pretty(part.arguments), id: text(part.call_id) }];
  if (type === 'tool_result') return [{ kind: 'result', text: flat(part.content), id: text(part.tool_use_id) }];
  if (type === 'function_call_output') return [{ kind: 'result', text: flat(part.output), id: text(part.call_id) }];
  if (isObject(part.functionCall))
    return [{ kind: 'call', name: text(part.functionCall.name) ?? 'a tool', input: shown(part.functionCall.args) }];
  if (isObject(part.functionResponse)) return [{ kind: 'result', text: shown(part.functionResponse.response) }];
  const image = imageOf(part);
  if (image !== undefined) return [{ kind: 'image', source: image }];
  if (typeof part.text === 'string') return part.text === '' ? [] : [{ kind: 'text', text: part.text }];
  if (typeof part.refusal === 'string') return [{ kind: 'other', label: 'refusal', text: part.refusal }];
  if (Array.isArray(part.content)) return readContent(part.content);
  return type === '' ? [] : [{ kind: 'other', label: type, text: shorten(shown(part)) }];
}

function shorten(long: string): string {
  return long.length <= 2_000 ? long : `${long.slice(0, 2_000)} …`;
}

function imageOf(part: Json): string | undefined {
  if (typeof part.image_url === 'string') return part.image_url;
  if (isObject(part.image_url)) return text(part.image_url.url);
  const inline = isObject(part.inlineData) ? part.inlineData : isObject(part.inline_data) ? part.inline_data : undefined;
  if (inline !== undefined) return dataUrl(inline.mimeType ?? inline.mime_type, inline.data);
  if (part.type === 'image' && isObject(part.source)) {
    return part.source.type === 'url' ? text(part.source.url) : dataUrl(part.source.media_type, part.source.data);
  }
  return undefined;
}

function dataUrl(type: unknown, data: unknown): string {
  return `data:${typeof type === 'string' ? type : 'application/octet-stream'};base64,${typeof data === 'string' ? data : ''}`;
}

// --- answers ---------------------------------------------------------------------------------------------------

/** The turns of an answer's body, streamed or not; empty where it is none that is known. */
export function readAnswer(body: string): Turn[] {
  const events = readEvents(body);
  if (events.length > 0) return assemble(events);
  const whole = parsed(body);
  if (Array.isArray(whole)) return assemble(whole.filter(isObject)); // Gemini's stream without SSE
  return isObject(whole) ? readWhole(whole) : [];
}

export function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function readWhole(body: Json): Turn[] {
  const error = body.error ?? body.errors;
  if (error !== undefined && error !== null) return [{ role: 'error', pieces: [{ kind: 'text', text: errorText(error) }] }];
  const turns: Turn[] = [];
  for (const choice of list(body.choices).filter(isObject)) {
    if (isObject(choice.message)) turns.push(...readMessage({ role: 'assistant', ...choice.message }));
    else if (typeof choice.text === 'string') add(turns, 'assistant', [{ kind: 'text', text: choice.text }]);
  }
  for (const candidate of list(body.candidates).filter(isObject))
    turns.push(...readMessage({ ...(isObject(candidate.content) ? candidate.content : {}), role: 'assistant' }));
  for (const item of list(body.output).filter(isObject)) turns.push(...readMessage(item));
  if (turns.length === 0 && isObject(body.message)) turns.push(...readMessage({ role: 'assistant', ...body.message }));
  if (turns.length === 0 && body.content !== undefined) add(turns, 'assistant', readContent(body.content));
  const result = isObject(body.result) ? body.result : body;
  if (turns.length === 0) add(turns, 'assistant', readContent(text(result.response) ?? text(result.text)));
  return turns;
}

function errorText(error: unknown): string {
  if (isObject(error) && typeof error.message === 'string') return error.message;
  const first = list(error)[0];
  return isObject(first) && typeof first.message === 'string' ? first.message : shown(error);
}

/** The data of a server-sent-event stream, those that are JSON objects. */
export function readEvents(body: string): Json[] {
  if (!/^(?:﻿)?(?:data|event|id|retry|:)/m.test(body.slice(0, 2_000))) return [];
  const found: Json[] = [];
  for (const block of body.split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = block
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).replace(/^ /, ''))
      .join('\n');
    const event = data === '' ? undefined : parsed(data);
    if (isObject(event)) found.push(event);
  }
  return found;
}

/** A streamed answer put together again. */
function assemble(events: Json[]): Turn[] {
  const whole = events.findLast((event) => event.type === 'response.completed' || event.type === 'response.incomplete');
  if (isObject(whole?.response)) return readWhole({ output: whole.response.output });
  const pieces = new Assembly();
  for (const event of events) pieces.take(event);
  return pieces.turns();
}

class Assembly {
  private readonly texts = new Map<string, string[]>();
  private readonly calls = new Map<string, { name: string; id?: string; input: string[] }>();
  private readonly errors: string[] = [];
  private readonly others: Piece[] = [];

  take(event: Json): void {
    if (event.error !== undefined && event.error !== null) this.errors.push(errorText(event.error));
    for (const choice of list(event.choices).filter(isObject)) this.takeChoice(choice);
    for (const candidate of list(event.candidates).filter(isObject)) this.takeCandidate(candidate);
    const type = text(event.type) ?? '';
    if (type === 'content_block_start' && isObject(event.content_block)) this.startBlock(String(event.index), event.content_block);
    if (type === 'content_block_delta' && isObject(event.delta)) this.takeDelta(String(event.index), event.delta);
    if (type === 'response.output_text.delta') this.add('text', event.delta);
    if (type === 'response.function_call_arguments.delta') this.call(String(event.item_id)).input.push(text(event.delta) ?? '');
    if (type === 'response.output_item.added' && isObject(event.item) && event.item.type === 'function_call')
      this.call(String(event.item.id)).name = text(event.item.name) ?? '';
    if (typeof event.response === 'string') this.add('text', event.response);
  }

  private takeChoice(choice: Json): void {
    const at = choice.index === undefined || choice.index === 0 ? '' : ` ${String(choice.index)}`;
    this.add(`text${at}`, choice.text);
    if (!isObject(choice.delta)) return;
    this.add(`thinking${at}`, choice.delta.reasoning_content ?? choice.delta.reasoning);
    this.add(`text${at}`, choice.delta.content);
    for (const call of list(choice.delta.tool_calls).filter(isObject)) {
      const kept = this.call(`${at}${String(call.index ?? 0)}`);
      if (text(call.id)) kept.id = text(call.id);
      if (!isObject(call.function)) continue;
      kept.name += text(call.function.name) ?? '';
      kept.input.push(text(call.function.arguments) ?? '');
    }
  }

  private takeCandidate(candidate: Json): void {
    for (const part of list(isObject(candidate.content) ? candidate.content.parts : undefined).filter(isObject)) {
      for (const piece of readPart(part)) {
        if (piece.kind === 'text' || piece.kind === 'thinking') this.add(piece.kind, piece.text);
        else this.others.push(piece);
      }
    }
  }

  private startBlock(at: string, block: Json): void {
    if (block.type === 'tool_use') Object.assign(this.call(at), { name: text(block.name) ?? '', id: text(block.id) });
    else this.add('text', block.text);
  }

  private takeDelta(at: string, delta: Json): void {
    this.add('text', delta.text);
    this.add('thinking', delta.thinking);
    if (typeof delta.partial_json === 'string') this.call(at).input.push(delta.partial_json);
  }

  private add(where: string, value: unknown): void {
    if (typeof value !== 'string' || value === '') return;
    const kept = this.texts.get(where);
    if (kept) kept.push(value);
    else this.texts.set(where, [value]);
  }

  private call(at: string): { name: string; id?: string; input: string[] } {
    let kept = this.calls.get(at);
    if (kept === undefined) this.calls.set(at, (kept = { name: '', input: [] }));
    return kept;
  }

  turns(): Turn[] {
    const pieces: Piece[] = [...this.texts].map(([where, parts]) => ({
      kind: where.startsWith('thinking') ? 'thinking' : 'text',
      text: parts.join(''),
    }));
    for (const { name, id, input } of this.calls.values())
      pieces.push({ kind: 'call', name: name || 'a tool', id, input: pretty(input.join('')) });
    pieces.push(...this.others);
    const turns: Turn[] = [];
    add(turns, 'assistant', pieces);
    add(
      turns,
      'error',
      this.errors.map((text) => ({ kind: 'text', text })),
    );
    return turns;
  }
}

/** All words of some turns, for comparing; each turn but a lone answer's begins with who said it. */
export function wordsOf(turns: Turn[]): string {
  const lone = turns.length === 1 && turns[0]?.role === 'assistant';
  return turns
    .map(({ role, pieces }) => {
      const said = pieces.map((piece) => {
        if (piece.kind === 'call') return `calls ${piece.name}\n${piece.input}`;
        if (piece.kind === 'image') return `image ${piece.source.slice(0, 200)}`;
        return piece.kind === 'other' ? `${piece.label}: ${piece.text}` : piece.text;
      });
      return lone ? said.join('\n') : `${role}: ${said.join('\n')}`;
    })
    .join('\n\n');
}
