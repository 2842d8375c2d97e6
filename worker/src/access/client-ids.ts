// Which Client Identifiers a user may have.

/** Whether one of `patterns` allows it: `%u` stands for the user name, and `*` at the end for whatever follows. No list allows all. */
export function mayBe(clientId: string, userName: string, patterns: readonly string[] | undefined): boolean {
  if (!patterns) return true;
  return patterns.some((pattern) => {
    const isBeginning = pattern.endsWith('*');
    const text = (isBeginning ? pattern.slice(0, -1) : pattern).split('%u').join(userName);
    return isBeginning ? clientId.startsWith(text) : clientId === text;
  });
}
