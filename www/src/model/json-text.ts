// JSON as text that reads well, without a change of any value. Knows nothing of where it comes from.

/**
 * Breaks and indents JSON. Numbers, names and texts stay letter by letter as they were: nothing is rounded, no name that stands
 * twice is lost.
 * @param json What `JSON.parse` takes.
 * @param longest Characters: what would become longer stays as it is.
 */
export function indented(json: string, longest = LONGEST): string {
  const parts: string[] = [];
  let length = 0;
  let depth = 0;
  let isEmpty = false;
  const add = (part: string): void => {
    parts.push(part);
    length += part.length;
  };
  for (let at = tokenStart(json, 0); at < json.length && length <= longest; ) {
    const end = tokenEnd(json, at);
    const token = json.slice(at, end);
    at = tokenStart(json, end);
    const isClosing = token === '}' || token === ']';
    if (isClosing) depth -= 1;
    if (isClosing ? !isEmpty : isEmpty) add(lineBreak(depth));
    add(token);
    isEmpty = token === '{' || token === '[';
    if (isEmpty) depth += 1;
    else if (token === ',') add(lineBreak(depth));
    else if (token === ':') add(' ');
  }
  return length > longest ? json : parts.join('');
}

function tokenStart(json: string, at: number): number {
  while (SPACE.has(json[at]!)) at += 1;
  return at;
}

/** Where the token that begins here ends. A regular expression would give up at a text of many millions of characters. */
function tokenEnd(json: string, at: number): number {
  if (json[at] === '"') {
    for (at += 1; at < json.length && json[at] !== '"'; at += 1) if (json[at] === '\\') at += 1;
    return at + 1;
  }
  if (SIGNS.has(json[at]!)) return at + 1;
  while (at < json.length && !SIGNS.has(json[at]!) && !SPACE.has(json[at]!)) at += 1;
  return at;
}

function lineBreak(depth: number): string {
  return BREAKS[Math.min(depth, DEEPEST)]!;
}

const SPACE = new Set(' \t\r\n');
const SIGNS = new Set('{}[],:');

/** What is nested deeper is not moved further to the right: its indents alone would be many times its size. */
const DEEPEST = 64;
const BREAKS = Array.from({ length: DEEPEST + 1 }, (_, depth) => `\n${'  '.repeat(depth)}`);

/** Browsers have no texts of more than about 500 million characters, and less to spare. */
const LONGEST = 1 << 28;
