// Texts with places that are filled in anew for each message, as `{{counter}}`. Knows nothing of messages.

/** What is wrong with a text that is to be filled in. */
export interface GeneratorFault {
  readonly fault: 'unknown' | 'arguments' | 'unclosed';
  /** The place, as it is written. */
  readonly place: string;
}

/** One kind of place, by its name: what it may be given, for people. */
export const GENERATORS = [
  ['counter', '{{counter}}', '{{counter 100 5}}'],
  ['random', '{{random 0 100}}', '{{random 18 24 1}}'],
  ['wave', '{{wave 18 24 60}}'],
  ['time', '{{time}}', '{{time iso}}'],
  ['uuid', '{{uuid}}'],
  ['pick', '{{pick red green blue}}'],
] as const;

/** What a place may ask for. */
export interface Circumstances {
  /** How many messages there were before this one. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Whether there is anything to fill in. */
export function hasPlaces(text: string): boolean {
  return text.includes('{{');
}

/** The text, filled in; or the first thing that is wrong with it. */
export function fill(text: string, circumstances: Circumstances): string | GeneratorFault {
  const parts: string[] = [];
  let at = 0;
  for (let open = text.indexOf('{{'); open !== -1; open = text.indexOf('{{', at)) {
    const close = text.indexOf('}}', open);
    if (close === -1) return { fault: 'unclosed', place: text.slice(open, open + LONGEST) };
    const place = text.slice(open, close + 2);
    const [name = '', ...words] = place.slice(2, -2).trim().split(/\s+/);
    if (!Object.hasOwn(VALUES, name)) return { fault: 'unknown', place };
    const value = VALUES[name as GeneratorName](words, circumstances);
    if (value === undefined) return { fault: 'arguments', place };
    parts.push(text.slice(at, open), value);
    at = close + 2;
  }
  return parts.join('') + text.slice(at);
}

type GeneratorName = (typeof GENERATORS)[number][0];

/** What stands in each place; `undefined` where the words after the name make no sense. */
const VALUES: Record<GeneratorName, (words: readonly string[], circumstances: Circumstances) => string | undefined> = {
  counter(words, { count }) {
    const [start, step] = numbers(words, [1, 1]) ?? [];
    return start === undefined || step === undefined ? undefined : tidy(start + count * step);
  },
  random(words, { random }) {
    const [least, most, decimals] = numbers(words, [0, 100, 0]) ?? [];
    if (least === undefined || most === undefined || most < least || !isCount(decimals, MOST_DECIMALS)) return undefined;
    if (decimals > 0) return (least + random() * (most - least)).toFixed(decimals);
    const [first, last] = [Math.ceil(least), Math.floor(most)];
    return last < first ? undefined : String(first + Math.floor(random() * (last - first + 1)));
  },
  wave(words, { count }) {
    const [least, most, period] = numbers(words, [0, 100, 60]) ?? [];
    if (least === undefined || most === undefined || !isCount(period, Number.MAX_SAFE_INTEGER) || period === 0) return undefined;
    return tidy((least + most) / 2 + ((most - least) / 2) * Math.sin((2 * Math.PI * count) / period), 2);
  },
  time(words, { now }) {
    if (words.length === 0) return String(now);
    if (words.length > 1) return undefined;
    return { iso: new Date(now).toISOString(), s: String(Math.floor(now / 1000)), ms: String(now) }[words[0]!];
  },
  uuid(words, { random }) {
    if (words.length > 0) return undefined;
    const digits = '10000000-1000-4000-8000-100000000000';
    return digits.replace(/[018]/g, (digit) => (digit === '8' ? 8 + Math.floor(random() * 4) : Math.floor(random() * 16)).toString(16));
  },
  pick(words, { random }) {
    return words[Math.floor(random() * words.length)];
  },
};

/** The words as numbers, those that are missing at their defaults; `undefined` if one is none, or there are too many. */
function numbers(words: readonly string[], defaults: readonly number[]): number[] | undefined {
  if (words.length > defaults.length) return undefined;
  const found = defaults.map((value, index) => (words[index] === undefined ? value : NUMBER.test(words[index]) ? Number(words[index]) : Number.NaN));
  return found.every(Number.isFinite) ? found : undefined;
}

function isCount(value: number | undefined, most: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= most;
}

/** Without what binary fractions add to decimal ones. */
function tidy(value: number, decimals = 9): string {
  return String(Number(value.toFixed(decimals)));
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)$/;
const MOST_DECIMALS = 12;
/** Characters of an unclosed place that are shown. */
const LONGEST = 24;
