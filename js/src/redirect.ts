// Where a server sends its clients. Knows no connection.

import type { Server } from './server.js';

/**
 * Which server a Server Reference names: asked when a server says 0x9C Use another server or 0x9D Server moved. `from` is the
 * address of that server, if it has one. Without an answer the reference is not followed.
 */
export type Redirect = (reference: string, from: URL | undefined) => Server | undefined | PromiseLike<Server | undefined>;

/**
 * Follows the first reference that makes an address: a `ws:` or `wss:` address as it is, and `host` or `host:port` with the
 * scheme, path and, where it names none, the port of the present address. Never from `wss:` to `ws:`.
 */
export function followReference(reference: string, from: URL | undefined): URL | undefined {
  if (!from) return undefined;
  for (const part of reference.split(' ')) {
    const address = toAddress(part, from);
    if (address && !(from.protocol === 'wss:' && address.protocol === 'ws:')) return address;
  }
  return undefined;
}

function toAddress(part: string, from: URL): URL | undefined {
  try {
    if (/^wss?:\/\//i.test(part)) return new URL(part);
    const [, host, port] = HOST.exec(part) ?? [];
    if (host === undefined) return undefined;
    const address = new URL(from);
    address.hostname = host;
    if (port !== undefined) address.port = port;
    // What is no host, or no port, leaves the address as it is.
    const isTaken = address.hostname.toLowerCase() === host.toLowerCase() && Number(port ?? 0) <= HIGHEST_PORT;
    return isTaken ? address : undefined;
  } catch {
    return undefined;
  }
}

/** A name, an IPv4 address, or an IPv6 address in brackets; and a port. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/i;

const HIGHEST_PORT = 65_535;
