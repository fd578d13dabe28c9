import type { Span } from '../parts/diff';

/** One side's text; what only it has is marked, for the eye and for screen readers. */
export function Marked({ spans, own }: { spans: Span[]; own: 'gone' | 'new' }) {
  return (
    <pre className="logged prose" dir="auto">
      {spans
        .filter((one) => one.kind === 'same' || one.kind === own)
        .map((one, at) =>
          one.kind === 'same' ? one.text : own === 'gone' ? <del key={at}>{one.text}</del> : <ins key={at}>{one.text}</ins>,
        )}
    </pre>
  );
}
