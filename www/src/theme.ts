// Light or dark: as the system has it, or as the reader chose.

import { signal } from '@preact/signals';
import { keep, localStore, recall } from './model/store.ts';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** What the reader chose. */
export const theme = signal<Theme>(chosen());

/** The next of the three. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
  keep(localStore(), NAME, theme.value);
  applyTheme();
}

/** Puts the choice where the styles look for it. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme.value;
}

function chosen(): Theme {
  const known = recall(localStore(), 'theme');
  return THEMES.find((name) => name === known) ?? 'system';
}

const NAME = 'theme';
