import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const gauge: MantineColorsTuple = [
  '#e8f7f4',
  '#d3ece6',
  '#a8d8cd',
  '#78c3b2',
  '#52b19c',
  '#3aa68e',
  '#2a967f',
  '#1c7c6e',
  '#12665a',
  '#044f45',
];

const PAGES: Record<string, string> = { first: 'First page', previous: 'Previous page', next: 'Next page', last: 'Last page' };

/** Quiet and dense: system fonts, small controls, one colour. */
export const theme = createTheme({
  primaryColor: 'gauge',
  primaryShade: { light: 7, dark: 7 },
  colors: { gauge },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.25rem' }, h2: { fontSize: '1rem' }, h3: { fontSize: '0.875rem' } } },
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', checkIconPosition: 'right', allowDeselect: false } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    TagsInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'sm' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Table: { defaultProps: { verticalSpacing: 5, horizontalSpacing: 'sm', fz: 'sm' } },
    Badge: { defaultProps: { size: 'sm', variant: 'light', radius: 'sm', tt: 'none' } },
    Pagination: { defaultProps: { getControlProps: (control: string) => ({ 'aria-label': PAGES[control] }) } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Card: { defaultProps: { withBorder: true, padding: 'md' } },
  },
});

/** Secondary text that is still readable (contrast at least 4.5 : 1 in both schemes). */
export const readable: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5c6470',
    '--mantine-color-placeholder': '#6b7280',
    '--mantine-color-anchor': '#12665a',
    '--mantine-color-error': '#c92a2a',
  },
  dark: {
    '--mantine-color-dimmed': '#a3aab4',
    '--mantine-color-placeholder': '#969ca6',
    '--mantine-color-anchor': '#78c3b2',
    '--mantine-color-error': '#ff8787',
  },
});
