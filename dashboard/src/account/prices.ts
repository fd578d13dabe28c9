/** Prices of cost rules. They are exact decimals on the way there and back: never a floating-point number. */

export const KINDS: { name: string; label: string; usual: boolean; per: 'million' | 'one' }[] = [
  { name: 'input_tokens', label: 'Input tokens', usual: true, per: 'million' },
  { name: 'output_tokens', label: 'Output tokens', usual: true, per: 'million' },
  { name: 'input_cached_tokens', label: 'Input from the cache', usual: true, per: 'million' },
  { name: 'input_cache_creation_tokens', label: 'Input into the cache', usual: true, per: 'million' },
  { name: 'output_reasoning_tokens', label: 'Reasoning', usual: false, per: 'million' },
  { name: 'input_text_tokens', label: 'Input text', usual: false, per: 'million' },
  { name: 'input_image_tokens', label: 'Input image tokens', usual: false, per: 'million' },
  { name: 'input_audio_tokens', label: 'Input audio', usual: false, per: 'million' },
  { name: 'input_video_tokens', label: 'Input video', usual: false, per: 'million' },
  { name: 'total_tokens', label: 'Every token alike', usual: false, per: 'million' },
  { name: 'input_image_count', label: 'An input image', usual: false, per: 'one' },
  { name: 'output_image_count', label: 'An output image', usual: false, per: 'one' },
];

const MILLION = 6;
const DECIMAL = /^(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** A decimal times ten to a power, exactly; a text that is none comes back as it is, to be refused. */
export function shifted(text: string, places: number): string {
  const match = DECIMAL.exec(text.trim());
  const [, whole = '', fraction = '', exponent = '0'] = match ?? [];
  if (!match || whole + fraction === '') return text;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent) + places;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = point <= 0 ? 1 : point;
  const head = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const tail = padded.slice(at).replace(/0+$/, '');
  return tail === '' ? head : `${head}.${tail}`;
}

/** The prices of a rule by their kind, as they are shown: for a million tokens, or for one image. */
export function readPrices(tokenPricing: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, rate] of tokenPricing.matchAll(/"(\w+)":\s*"?([^",}\s]+)/g)) {
    const kind = KINDS.find((one) => one.name === name);
    if (kind && rate) found[kind.name] = kind.per === 'million' ? shifted(rate, MILLION) : rate;
  }
  return found;
}

/** Shown prices as they are sent: dollars for one of each. What is empty has no price. */
export function writePrices(shown: Record<string, string>): Record<string, string> {
  const given = KINDS.filter(({ name }) => (shown[name] ?? '').trim() !== '');
  return Object.fromEntries(
    given.map(({ name, per }) => [name, per === 'million' ? shifted(shown[name] ?? '', -MILLION) : (shown[name] ?? '').trim()]),
  );
}

/** Prices in a line. */
export function pricesInWords(tokenPricing: string): string {
  const prices = readPrices(tokenPricing);
  return KINDS.filter(({ name }) => name in prices)
    .map(({ name, label, per }) => `${label.replace(' tokens', '').toLowerCase()} $${prices[name]}${per === 'million' ? '/M' : ''}`)
    .join(', ');
}
