// Whether the network is there, and when a page comes back to it or to its reader. Where the platform does not tell, it always is.

/** Calls `returned` when the network comes back or the page becomes visible, until the function that it returns is called. */
export function watchPresence(returned: () => void): () => void {
  const becameVisible = () => {
    if (globalThis.document.visibilityState === 'visible') returned();
  };
  globalThis.addEventListener?.('online', returned);
  globalThis.document?.addEventListener('visibilitychange', becameVisible);
  return () => {
    globalThis.removeEventListener?.('online', returned);
    globalThis.document?.removeEventListener('visibilitychange', becameVisible);
  };
}

/** Whether the browser knows that there is no network. When it thinks that there is one, it may be wrong. */
export function isOffline(): boolean {
  return globalThis.navigator?.onLine === false;
}
