// The transport of a client's connection: opened within a time, and hung up once. Knows no MQTT.

import { MqttError, report } from './error.js';
import { unreachable } from './hints.js';
import type { Clock, Timer } from './timer.js';
import type { Tap } from './tap.js';
import { toBytes, type Transport } from './transport.js';

/** What becomes of a connection. */
export interface WireHooks {
  received(bytes: Uint8Array): void;
  /** It is gone, once; not after it was hung up. */
  closed(): void;
}

/** One connection. */
export class Wire {
  /** Whether anything came over it. */
  isAnswered = false;
  /** Why the other side could not serve the connection, if it said so. */
  why: MqttError | undefined;
  readonly #clock: Clock;
  readonly #limit: Timer;
  readonly #address: URL | undefined;
  readonly #hooks: WireHooks;
  readonly #tap: Tap;
  #transport: Transport | undefined;
  #held: (() => void)[] | undefined;

  /** `address` is where it goes, if that has an address. */
  constructor(clock: Clock, limit: Timer, tap: Tap, address: URL | undefined, hooks: WireHooks) {
    this.#clock = clock;
    this.#limit = limit;
    this.#tap = tap;
    this.#address = address;
    this.#hooks = hooks;
  }

  /**
   * Resolves when bytes can be sent.
   * @throws MqttError `unreachable`, or what the other side said.
   */
  async open(transport: Transport, patience: number): Promise<void> {
    this.#transport = transport;
    this.#tap.begin();
    let isClosed = false;
    transport.onclose = (why) => {
      isClosed = true;
      this.why = why;
      this.#hooks.closed();
    };
    transport.onmessage = ({ data }) => this.#received(data);
    const late = new Promise<never>((_, reject) => {
      this.#limit.set(this.#clock() + patience, () => reject(new Error('it took too long')));
    });
    try {
      await Promise.race([transport.opened, late]);
      if (isClosed) throw this.why ?? new Error('it was closed at once');
    } catch (cause) {
      if (cause instanceof MqttError) throw cause;
      throw unreachable(cause instanceof Error ? cause.message : String(cause), this.#address, cause);
    } finally {
      this.#limit.clear();
    }
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#transport) return;
    this.#tap.pass('sent', bytes); // before a port takes them away
    try {
      this.#transport.send(bytes);
    } catch {
      this.hangUp();
      this.#hooks.closed();
    }
  }

  hangUp(): void {
    const transport = this.#transport;
    this.#transport = this.#held = undefined;
    if (!transport) return;
    transport.onmessage = transport.onclose = null;
    try {
      transport.close();
    } catch (error) {
      report(error);
    }
  }

  /** From now on `whenFree` keeps its tasks, until the function that this returns is called, or the wire is hung up. */
  hold(): () => void {
    const held: (() => void)[] = [];
    this.#held = held;
    return () => {
      this.#held = undefined;
      for (const task of held) task();
    };
  }

  whenFree(task: () => void): void {
    if (this.#held) this.#held.push(task);
    else task();
  }

  #received(data: unknown): void {
    const bytes = toBytes(data);
    this.isAnswered = true;
    if (bytes) {
      this.#tap.pass('received', bytes);
      return this.#hooks.received(bytes);
    }
    this.hangUp();
    this.#hooks.closed();
  }
}
