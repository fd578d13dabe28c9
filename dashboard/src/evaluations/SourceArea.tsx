import { Input } from '@mantine/core';
import { useUncontrolled } from '@mantine/hooks';
import { type KeyboardEvent, useId } from 'react';
import { indentation, lineOf } from './source';

interface Props {
  label: string;
  description?: string;
  value: string;
  onChange: (source: string) => void;
  error?: string;
  readOnly?: boolean;
}

const MAX_SOURCE = 100_000;
const FEWEST = 10;

/** A field for source text: monospace, its lines numbered; the line that an error names stands out. */
export function SourceArea({ label, description, value, onChange, error, readOnly }: Props) {
  const [text, setText] = useUncontrolled({ value, onChange });
  const id = useId();
  const lines = Math.max(FEWEST, text.split('\n').length);
  const wrong = lineOf(error);
  const keys = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const field = event.currentTarget;
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    // In this way, and no other, the browser can undo it
    document.execCommand('insertText', false, `\n${indentation(field.value.slice(0, field.selectionStart))}`);
  };
  return (
    <Input.Wrapper id={id} label={label} description={description} error={error} size="xs" labelProps={{ htmlFor: id }}>
      <div className="source" data-wrong={error !== undefined || undefined}>
        <pre aria-hidden>
          {Array.from({ length: lines }, (_, index) => (
            <span key={index} className={index + 1 === wrong ? 'wrong' : undefined}>
              {index + 1}
              {'\n'}
            </span>
          ))}
        </pre>
        <textarea
          id={id}
          rows={lines}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          maxLength={MAX_SOURCE}
          readOnly={readOnly}
          aria-invalid={error !== undefined}
          aria-describedby={[description && `${id}-description`, error && `${id}-error`].filter(Boolean).join(' ') || undefined}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={keys}
        />
      </div>
    </Input.Wrapper>
  );
}
