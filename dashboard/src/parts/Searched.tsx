import { Select } from '@mantine/core';

export interface Option {
  value: string;
  label: string;
}

interface Props {
  label: string;
  description?: string;
  clearable?: boolean;
  /** What it says while nothing is chosen. */
  placeholder?: string;
  required?: boolean;
  options: Option[];
  chosen: Option | null;
  onSearch: (text: string) => void;
  onChange: (id: string | null) => void;
  error?: string;
}

/** A list of which the server finds the part that is searched for; what is chosen stays among it. */
export function Searched({ label, description, clearable, placeholder, required, options, chosen, onSearch, onChange, error }: Props) {
  const all = chosen === null || options.some(({ value }) => value === chosen.value) ? options : [chosen, ...options];
  return (
    <Select
      miw={200}
      label={label}
      description={description}
      required={required}
      searchable
      clearable={clearable}
      clearButtonProps={{ 'aria-label': `Clear: ${label}` }}
      placeholder={placeholder}
      data={all}
      filter={({ options: found }) => found}
      value={chosen?.value ?? null}
      onSearchChange={(text) => onSearch(text === chosen?.label ? '' : text)}
      onChange={onChange}
      nothingFoundMessage="None has such a name"
      error={error}
    />
  );
}
