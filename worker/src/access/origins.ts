// Which pages may open a WebSocket: browsers say where a page is from, and pages cannot change that.

import type { RoomSettings } from '../settings.js';

/**
 * Whether a page from the request's Origin may connect: one of the settings' `origins`, or without those one from the host
 * of the request itself. A request without Origin is no page's, and is not asked.
 */
export function checkOrigin(request: Request, { origins }: Pick<RoomSettings, 'origins'>): boolean {
  const origin = request.headers.get('Origin');
  if (origin === null) return true;
  if (origins === undefined) return hostOf(origin) === new URL(request.url).host;
  // What is no list is no setting, and the room says so.
  const all = [origins].flat();
  return all.includes('*') || all.some((allowed) => allowed === origin || (normal(allowed) ?? '') === origin);
}

/** `undefined` for what is no origin of HTTP, such as `null`. */
function hostOf(origin: string): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  // An origin has no path: what has more is not what a browser sends.
  return url && /^https?:$/.test(url.protocol) && url.origin === origin ? url.host : undefined;
}

function normal(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).origin : undefined;
}
