// Who comes into a room by a call of the Worker's own code, and not by what a client says of itself.

import type { Grant, Verdict } from 'mqlite/broker';

/** Who somebody is. Whoever says so to a room must know it, as by a token: the room takes it as it is. */
export interface Identity {
  /** For `%u`, for the session, which belongs to that user, and for the limits of a user. Default none. */
  readonly userName?: string;
  /** What may be published and subscribed to. Default all, `$SYS` too. */
  readonly grants?: readonly Grant[];
  /** When it is over, in milliseconds since 1970. Default never. */
  readonly expiresAt?: number;
}

/** The guests that a room expects. A ticket is good for one of them, once and soon. */
export class Guests {
  readonly #expected = new Map<string, Identity>();

  /** The ticket with which to come. */
  expect(identity: Identity): string {
    const ticket = crypto.randomUUID();
    this.#expected.set(ticket, identity);
    // Those that never came: an object that is awake is so for the sake of others, and may be for long.
    for (const oldest of this.#expected.keys()) {
      if (this.#expected.size <= MOST_EXPECTED) break;
      this.#expected.delete(oldest);
    }
    return ticket;
  }

  /** Who has this ticket. */
  take(ticket: string): Identity | undefined {
    const identity = this.#expected.get(ticket);
    this.#expected.delete(ticket);
    return identity;
  }
}

/** Lets a guest in. */
export function welcome({ userName, grants, expiresAt }: Identity): Verdict {
  return {
    type: 'allow',
    ...(userName !== undefined && { userName }),
    ...(grants && { grants: [...grants] }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** The header of a request to a room that has the ticket. */
export const TICKET = 'Mqlite-Ticket';

const MOST_EXPECTED = 1_000;
