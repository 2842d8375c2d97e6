// The package `mqlite/broker`, which is loaded beside the page and not before it. Knows nothing of what it is used for.

/** All of the package: one WebAssembly for the broker and for clients. */
export type Library = typeof import('mqlite/broker');

/** Loads the package, once. */
export function library(): Promise<Library> {
  return (loading ??= import('mqlite/broker'));
}

let loading: Promise<Library> | undefined;
