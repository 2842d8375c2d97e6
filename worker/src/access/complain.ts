// What an operator must hear of who is let in: one line, never with a secret in it, and the same one only now and then.

const told = new Map<string, number>();

export function complain(message: string): void {
  const now = Date.now();
  if (now - (told.get(message) ?? 0) < PAUSE_MILLIS) return;
  told.set(message, now);
  console.error(JSON.stringify({ level: 'error', event: 'accessTrouble', message }));
}

const PAUSE_MILLIS = 10_000;
