// The console: static files, which wake no room.

import type { Environment } from '../environment.js';

/** What is at this address, or `undefined` when there is no such file. */
export async function consoleFile(request: Request, { ASSETS }: Environment): Promise<Response | undefined> {
  if (!ASSETS || !['GET', 'HEAD'].includes(request.method)) return undefined;
  const url = new URL(request.url);
  const isPage = url.pathname === '/';
  if (isPage) url.pathname = '/index.html';
  const { status, headers, body } = await ASSETS.fetch(new Request(url, request));
  if (status !== 200 && status !== 304) {
    await body?.cancel();
    return undefined;
  }
  const more = new Headers(headers);
  for (const [name, value] of Object.entries(HEADERS)) more.set(name, value);
  // The names of all other files but the icon's tell their contents.
  more.set('Cache-Control', url.pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
  return new Response(body, { status, headers: more });
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  'worker-src blob:', // what wakes a client with a short Keep Alive while the page is hidden
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws: wss:", // the brokers that a reader names
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
