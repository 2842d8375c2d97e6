// Where a server sends its clients. Knows no connection.

import type { MqttError } from './error.js';
import type { Closed } from './outcome.js';
import type { Server } from './server.js';
import type { Next } from './status.js';

/**
 * Which server a Server Reference names: asked when a server says 0x9C Use another server or 0x9D Server moved. `from` is the
 * address of that server, if it has one. Without an answer the reference is not followed. The client says to the other server what
 * it says to this one, its user name and password too.
 */
export type Redirect = (reference: string, from: URL | undefined) => Server | undefined | PromiseLike<Server | undefined>;

/**
 * Follows the first reference that makes an address: a `ws:` or `wss:` address as it is, and `host` or `host:port` with the
 * scheme, path, query and, where it names none, the port of the present address. Never from `wss:` to `ws:`.
 */
export function followReference(reference: string, from: URL | undefined): URL | undefined {
  if (!from) return undefined;
  for (const part of reference.split(' ')) {
    const address = toAddress(part, from);
    if (address && !(from.protocol === 'wss:' && address.protocol === 'ws:')) return address;
  }
  return undefined;
}

/** That a server has sent the client away: where to, and what is to be said if it does not go there. */
export interface Detour {
  readonly closed: Closed;
  readonly error: MqttError;
  readonly next: Next;
}

/** The server of a client, and where that has sent it. */
export class Detours {
  #server: Server;
  readonly #redirect: false | Redirect;
  #detour: Detour | undefined;
  /** In a row. */
  #count = 0;

  constructor(server: Server, redirect: false | Redirect = followReference) {
    this.#server = server;
    this.#redirect = redirect;
  }

  /** Whether the next attempt goes where the server has said. `hasLasted`: whether the connection before did. */
  follow(detour: Detour, hasLasted: boolean): boolean {
    const { reason = 0, serverReference } = detour.closed;
    if (hasLasted) this.#count = 0;
    if (serverReference === undefined || !REASONS.includes(reason) || this.#count >= MOST_IN_A_ROW) return false;
    this.#count += 1;
    this.#detour = detour;
    return true;
  }

  /**
   * The server for the next attempt. `from` is where the last one went.
   * @throws Detour that leads nowhere, or what the user's function threw.
   */
  async next(from: URL | undefined): Promise<Server> {
    const detour = this.#detour;
    if (!detour) return this.#server;
    this.#detour = undefined;
    const { reason, serverReference = '' } = detour.closed;
    const server = this.#redirect && (await this.#redirect(serverReference, from));
    if (!server) throw detour;
    if (reason === SERVER_MOVED && typeof this.#server !== 'function') this.#server = server;
    return server;
  }
}

export function isDetour(thrown: unknown): thrown is Detour {
  return typeof thrown === 'object' && thrown !== null && 'next' in thrown && 'closed' in thrown;
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

// Reason Codes.
const USE_ANOTHER_SERVER = 0x9c;
const SERVER_MOVED = 0x9d;
const REASONS: readonly number[] = [USE_ANOTHER_SERVER, SERVER_MOVED];

/** Servers may send a client to each other. */
const MOST_IN_A_ROW = 5;
