// Bytes as people read them.

import { number, t } from '../i18n/index.ts';

/** `42 bytes`, `1.2 kB`, `64 MB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return t('payload.bytes', { count: bytes });
  const [unit, each] = bytes < 1_000_000 ? (['kilobyte', 1_000] as const) : (['megabyte', 1_000_000] as const);
  return number(bytes / each, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 });
}
