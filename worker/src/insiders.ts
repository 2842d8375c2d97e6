// The clients that a room has of its own, such as those that forward messages: who they are is known by a password that never
// leaves the object.

import type { AuthenticationRequest, Broker, Client, ConnectOptions, Transport } from 'mqlite/broker';
import { connect } from 'mqlite/broker';

/** Connects the room's own clients, and lets them in. */
export class Insiders {
  readonly #password = crypto.getRandomValues(new Uint8Array(32));

  /**
   * A client of the room's own, which may do everything. Its Client Identifier begins with `$`, which nobody else's may.
   * `broker` is asked for at each attempt.
   */
  connect(broker: () => Broker | Promise<Broker>, options: ConnectOptions): Promise<Client> {
    const open = async () => {
      const [ours, theirs] = pair();
      (await broker()).accept(ours);
      return theirs;
    };
    return connect(open, { ...options, password: this.#password });
  }

  /** Whether it is one of them. */
  admits({ userName, password }: AuthenticationRequest): boolean {
    // Without a user name none of the limits of a user is about them.
    if (userName !== undefined || password?.byteLength !== this.#password.byteLength) return false;
    return crypto.subtle.timingSafeEqual(password, this.#password);
  }
}

/**
 * Two transports that are each other's end. Unlike those of the package they share nothing with other rooms, which may sleep
 * while something is on its way; and what one event sends has arrived when that event is over, so that it is one commit.
 */
function pair(): [Inside, Inside] {
  const [one, other] = [new Inside(), new Inside()];
  one.peer = other;
  other.peer = one;
  return [one, other];
}

class Inside implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  /** The other end, until either has closed. */
  peer: Inside | undefined;

  send(bytes: Uint8Array<ArrayBuffer>): void {
    const { peer } = this;
    queueMicrotask(() => peer?.peer && peer.onmessage?.({ data: bytes }));
  }

  close(): void {
    const { peer } = this;
    this.peer = undefined;
    queueMicrotask(() => {
      if (!peer?.peer) return;
      peer.peer = undefined;
      peer.onclose?.();
    });
  }
}
