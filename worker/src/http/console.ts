// The console: static files, which wake no room.

import type { Environment } from '../environment.js';

/** What is at this address, or `undefined` when there is no such file. */
export async function consoleFile(request: Request, { ASSETS }: Environment): Promise<Response | undefined> {
  if (!ASSETS || !['GET', 'HEAD'].includes(request.method)) return undefined;
  const url = new URL(request.url);
  if (url.pathname === '/') url.pathname = '/index.html';
  const { status, headers, body } = await ASSETS.fetch(new Request(url, request));
  if (status !== 200 && status !== 304) {
    await body?.cancel();
    return undefined;
  }
  const more = new Headers(headers);
  for (const [name, value] of Object.entries(HEADERS)) more.set(name, value);
  more.set('Content-Security-Policy', policy(url.pathname));
  // The names of all other files but the icon's tell their contents.
  more.set('Cache-Control', url.pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
  return new Response(body, { status, headers: more });
}

/** What a file may load by itself. */
function policy(path: string): string {
  // The page says it in itself: a header alone can say who may show it.
  if (path.endsWith('.html')) return "frame-ancestors 'none'";
  // It gets the files that it keeps for when there is no network.
  if (path === '/service-worker.js') return "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";
  return "default-src 'none'; frame-ancestors 'none'";
}

const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
