// What a request to open a WebSocket says of who opens it, and where the room remembers that while it sleeps.

import type { TokenClaims } from './jwt.js';

/** What is known of a connection besides what its client says in MQTT. */
export interface AuthenticationContext {
  /** Where the client is, if the platform says so: Cloudflare does. */
  readonly peerAddress?: string;
  /** What the token says that came with the upgrade, checked. */
  readonly token?: TokenClaims;
}

/** The bearer token of a request: of its header `Authorization`, or else its parameter `access_token`. */
export function tokenOf(request: Request): string | undefined {
  return headerToken(request) ?? queryToken(request.url);
}

function queryToken(url: string): string | undefined {
  // Few have a query, and a URL takes long to make.
  return url.includes('?') ? (new URL(url).searchParams.get('access_token') ?? undefined) : undefined;
}

/** The bearer token of the header `Authorization`. */
export function headerToken(request: Request): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(request.headers.get('Authorization') ?? '')?.[1];
}

/** Cloudflare sets this header itself, whatever the client sends. */
export function peerAddressOf(request: Request): string | undefined {
  const address = request.headers.get('CF-Connecting-IP') ?? undefined;
  return address !== undefined && /^[\da-fA-F:.]{2,45}$/.test(address) ? address : undefined;
}

/** The same request with its token in the header alone: addresses are written to logs. */
export function withTokenInHeader(request: Request): Request {
  const url = new URL(request.url);
  const token = tokenOf(request);
  if (!url.searchParams.has('access_token')) return request;
  url.searchParams.delete('access_token');
  const moved = new Request(url, request);
  if (token !== undefined) moved.headers.set('Authorization', `Bearer ${token}`);
  return moved;
}

/**
 * A context as tags of a WebSocket: unlike its attachment, of which the broker may take all, they are the host's alone.
 * `undefined` when it takes more room than tags have.
 */
export function toTags(context: AuthenticationContext): string[] | undefined {
  const text = JSON.stringify(context).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const tags = text.match(/.{1,250}/g)?.map((part, index) => `${index}:${part}`) ?? [];
  return tags.length <= MAXIMUM_TAGS ? tags : undefined;
}

/** What `toTags` was given. */
export function fromTags(tags: readonly string[]): AuthenticationContext {
  const parts = [...tags].sort().map((tag) => tag.slice(2));
  return parts.length === 0 ? {} : JSON.parse(parts.join(''));
}

/** Of a WebSocket, and each has 256 characters at most. */
const MAXIMUM_TAGS = 10;
