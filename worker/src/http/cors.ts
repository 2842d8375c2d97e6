// Which pages may use the HTTP API from elsewhere: none, unless the settings name where they are from.

import type { RoomSettings } from '../settings.js';

/** What an answer says to the browser of the page that asked. */
export function corsHeaders(request: Request, { cors = [] }: Pick<RoomSettings, 'cors'>): Record<string, string> {
  const origin = request.headers.get('Origin');
  // What is no list is no setting, and the room says so.
  const all = [cors].flat();
  const isAllowed = origin !== null && (all.includes('*') || all.includes(origin));
  // The token is in a header, never in a cookie: pages need no credentials of the browser's.
  return { Vary: 'Origin', ...(isAllowed && { 'Access-Control-Allow-Origin': origin }) };
}

/** The answer to OPTIONS, which browsers send before a request that a form could not make. `methods` are those of the path. */
export function preflight(request: Request, settings: Pick<RoomSettings, 'cors'>, methods: readonly string[]): Response {
  const headers = corsHeaders(request, settings);
  const isAllowed = 'Access-Control-Allow-Origin' in headers;
  return new Response(null, { status: 204, headers: { Allow: methods.join(', '), ...headers, ...(isAllowed && answer(methods)) } });
}

function answer(methods: readonly string[]): Record<string, string> {
  return {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, Last-Event-ID',
    'Access-Control-Max-Age': '600',
  };
}
