// Lengths of time as people say them.

import { number } from '../i18n/index.ts';

/** `10 seconds`, `7 days`: in the largest unit that it fills, with one decimal. */
export function duration(seconds: number): string {
  const [unit, each] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1)!;
  return number(seconds / each, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 });
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;
