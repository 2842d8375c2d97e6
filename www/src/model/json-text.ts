// JSON as text that reads well, without a change of any value. Knows nothing of where it comes from.

/**
 * Breaks and indents JSON. Numbers, names and texts stay letter by letter as they were: nothing is rounded, no name that stands
 * twice is lost.
 * @param json What `JSON.parse` takes.
 */
export function indented(json: string): string {
  const parts: string[] = [];
  let depth = 0;
  let isEmpty = false;
  for (const [token] of json.matchAll(TOKEN)) {
    const isClosing = token === '}' || token === ']';
    if (isClosing) depth -= 1;
    if (isClosing ? !isEmpty : isEmpty) parts.push(lineBreak(depth));
    parts.push(token);
    isEmpty = token === '{' || token === '[';
    if (isEmpty) depth += 1;
    else if (token === ',') parts.push(lineBreak(depth));
    else if (token === ':') parts.push(' ');
  }
  return parts.join('');
}

function lineBreak(depth: number): string {
  return `\n${'  '.repeat(Math.min(depth, DEEPEST))}`;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** What is nested deeper is not moved further to the right: its indents alone would be many times its size. */
const DEEPEST = 64;
