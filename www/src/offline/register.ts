// Has the browser keep the page for when there is no network. Not before all else is done: it loads every part of the page.

/** Does so in a while, where the browser can. That it cannot is no problem of the reader's. */
export function keepOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  setTimeout(() => {
    navigator.serviceWorker.register(new URL('service-worker.js', document.baseURI), { updateViaCache: 'none' }).catch(() => {});
  }, PAUSE);
}

/** Milliseconds. */
const PAUSE = 2_000;
