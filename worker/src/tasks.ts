// Tasks that are done together, and know nothing of each other.

/** Does each, also when one before it failed; the first failure is thrown when all are done. */
export function doAll(tasks: readonly (() => void)[]): void {
  const failures: unknown[] = [];
  for (const task of tasks) {
    try {
      task();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
