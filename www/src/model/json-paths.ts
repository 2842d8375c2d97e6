// Paths into a value, such as `$.rooms[2].temperature`, and the numbers at their ends. Knows nothing of where the value comes from.

/** A name of an object or a place of a list. */
export type Step = string | number;

/** What no value has more of worth choosing from. */
export const PATHS = 200;

/**
 * The paths to all numbers of a value, `true` and `false` among them, in the order in which they stand.
 * @param limit At most so many.
 */
export function numberPaths(value: unknown, limit = PATHS): string[] {
  const paths: string[] = [];
  const visit = (at: unknown, path: string, depth: number): void => {
    if (paths.length >= limit) return;
    if (toNumber(at) !== undefined) paths.push(path);
    else if (depth < DEEPEST) for (const [step, child] of children(at)) visit(child, path + written(step), depth + 1);
  };
  visit(value, '$', 0);
  return paths;
}

/** The steps of a path; `null` when it is none. */
export function parsePath(path: string): Step[] | null {
  const text = path.trim();
  if (!text.startsWith('$')) return null;
  const steps: Step[] = [];
  let at = 1;
  while (at < text.length) {
    STEP.lastIndex = at;
    const found = STEP.exec(text);
    if (!found) return null;
    const [whole, name, place, quoted] = found;
    if (quoted === undefined) steps.push(name ?? Number(place));
    else {
      const unquoted = unquote(quoted);
      if (unquoted === undefined) return null;
      steps.push(unquoted);
    }
    at += whole.length;
  }
  return steps;
}

/** The value at the end of these steps; `undefined` when there is none. */
export function valueAt(value: unknown, steps: readonly Step[]): unknown {
  let at = value;
  for (const step of steps) {
    if (Array.isArray(at)) at = typeof step === 'number' ? at[step] : undefined;
    else if (at instanceof Map) at = at.get(step);
    else if (isPlain(at)) at = Object.hasOwn(at, step) ? at[step] : undefined;
    else return undefined;
  }
  return at;
}

/** The number at the end of these steps: 1 for `true`, 0 for `false`, `undefined` for what is none. */
export function numberAt(value: unknown, steps: readonly Step[]): number | undefined {
  return toNumber(valueAt(value, steps));
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : undefined;
}

function children(value: unknown): Iterable<[Step, unknown]> {
  if (Array.isArray(value)) return value.entries();
  if (value instanceof Map) return [...value].filter(([name]) => typeof name === 'string' || typeof name === 'number') as [Step, unknown][];
  return isPlain(value) ? Object.entries(value) : [];
}

function isPlain(value: unknown): value is Record<Step, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function written(step: Step): string {
  if (typeof step === 'number') return `[${step}]`;
  return NAME.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

function unquote(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted.startsWith('"') ? quoted : `"${quoted.slice(1, -1).replaceAll('"', '\\"').replaceAll("\\'", "'")}"`);
  } catch {
    return undefined;
  }
}

const NAME = /^[\p{L}_][\p{L}\p{N}_-]*$/u;
const STEP = /\.([\p{L}_][\p{L}\p{N}_-]*)|\[(-?\d+)\]|\[("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]/uy;
const DEEPEST = 32;
