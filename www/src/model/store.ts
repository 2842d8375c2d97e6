// What the page remembers from one visit to the next, as JSON by name. Knows nothing of what it keeps.

/** The part of `localStorage` that is needed. */
export interface Store {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

/** The browser's own, or one that forgets where the browser keeps nothing, as in some private windows. */
export function localStore(): Store {
  try {
    const { localStorage } = globalThis;
    localStorage.getItem(PREFIX);
    return localStorage;
  } catch {
    return memoryStore();
  }
}

/** One that forgets when the page goes. */
export function memoryStore(): Store {
  const values = new Map<string, string>();
  return {
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
  };
}

/** What was kept by this name, or `undefined` where there is nothing that can be read. */
export function recall(store: Store, name: string): unknown {
  try {
    return JSON.parse(store.getItem(PREFIX + name) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a value. Whether there was room. */
export function keep(store: Store, name: string, value: unknown): boolean {
  try {
    store.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

const PREFIX = 'mqlite.';
