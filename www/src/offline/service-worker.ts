// Has the page at hand where there is no network. Each build has its own list of files, by what is in them, and its own cache: a
// page and its parts are always of one build. Knows nothing of the page, and answers for nothing but its files.

export {}; // its own names

declare const self: ServiceWorkerGlobalScope;
/** By the build: the path of each file below the scope, with its digest as `fetch` takes it. */
declare const __FILES__: Readonly<Record<string, string>>;
declare const __BUILD__: string;

const files = new Map(Object.entries(__FILES__).map(([path, digest]) => [new URL(path, self.registration.scope).pathname, digest]));
const root = new URL(self.registration.scope).pathname;
const index = `${root}index.html`;
/** Other folders of the same origin may have a page like this one. */
const family = `mqlite ${self.registration.scope} `;
const name = family + __BUILD__;

// What is there already waits until no page of the former build is open, which needs its cache.
self.addEventListener('install', (event) => event.waitUntil(fill()));

self.addEventListener('activate', (event) =>
  event.waitUntil(
    (async () => {
      const others = (await caches.keys()).filter((other) => other.startsWith(family) && other !== name);
      await Promise.all(others.map((other) => caches.delete(other)));
      await self.clients.claim();
    })(),
  ),
);

self.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin) return;
  if (mode === 'navigate') {
    if (pathname === root || pathname === index) event.respondWith(page(event.request));
  } else if (files.has(pathname)) event.respondWith(file(event.request, pathname));
});

/**
 * All or nothing: a file that is not of this build, such as one of a newer one, ends the installation. What was there before stays,
 * since somebody may use it.
 */
async function fill(): Promise<void> {
  const isThere = await caches.has(name);
  try {
    const cache = await caches.open(name);
    for (const [path, integrity] of files) {
      const response = await fetch(path, { integrity, cache: path.startsWith(`${root}assets/`) ? 'default' : 'no-cache' });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      await cache.put(path, response);
    }
  } catch (error) {
    if (!isThere) await caches.delete(name);
    throw error;
  }
}

/** The newest page that can be had: the one from here when there is no network, or it takes too long. */
async function page(request: Request): Promise<Response> {
  const asked = fetch(request);
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null));
  try {
    return (await Promise.race([asked, late])) ?? (await stored(index)) ?? (await asked);
  } catch {
    return (await stored(index)) ?? Response.error();
  }
}

async function file(request: Request, path: string): Promise<Response> {
  return (await stored(path)) ?? fetch(request);
}

async function stored(path: string): Promise<Response | undefined> {
  return (await caches.open(name)).match(path);
}

/** Milliseconds. */
const PATIENCE = 4_000;
