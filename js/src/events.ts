// Who listens to what happens to a client.

import { isThenable, MqttError, report } from './error.js';
import type { MessageHandler } from './subscription.js';
import type { ClientStatus } from './status.js';
import type { PacketEvent } from './tap.js';

/** What a client tells, and how those who listen are called. */
export interface ClientEvents {
  /** The status has changed. */
  status: (status: ClientStatus, change: StatusChange) => void;
  /**
   * A message came, whichever subscription it is for. It is acknowledged when the promise of this handler has resolved too;
   * the handler takes one message after the other.
   */
  message: MessageHandler;
  /** A packet was sent, or has come: for those who want to see what goes over the wire. */
  packet: (packet: PacketEvent) => void;
  /** Something went wrong that no promise tells. Where nobody listens, it goes to the platform's `reportError`. */
  error: (error: MqttError) => void;
}

/** What is to be said about a new status. */
export interface StatusChange {
  /** Why there is no connection, with `waiting` and, unless `end()` was called, `ended`. */
  error?: MqttError;
  /** When the next attempt is due, in milliseconds since 1970: with `waiting`, unless the client waits for the network. */
  nextAttemptAt?: number;
  /** Whether the server kept the session: with `connected`. */
  sessionPresent?: boolean;
}

/** Those who listen, by the name of the event. */
export class Listeners {
  readonly #sets: { [name in keyof ClientEvents]?: Set<ClientEvents[name]> } = {};

  /** Returns what takes the listener away. */
  add<N extends keyof ClientEvents>(name: N, listener: ClientEvents[N]): () => void {
    const listeners = (this.#sets[name] ??= new Set() as never) as Set<ClientEvents[N]>;
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  has(name: keyof ClientEvents): boolean {
    return (this.#sets[name]?.size ?? 0) > 0;
  }

  emit<N extends keyof ClientEvents>(name: N, ...values: Parameters<ClientEvents[N]>): void {
    for (const listener of [...this.#all(name)]) this.guard((all) => (listener as (...values: unknown[]) => unknown)(...all), values);
  }

  /** Something of which no promise tells. */
  report(error: MqttError): void {
    const listeners = [...this.#all('error')];
    if (listeners.length === 0) return report(error.code === 'handler-failed' ? error.cause : error);
    for (const listener of listeners) {
      try {
        listener(error);
      } catch (cause) {
        report(cause);
      }
    }
  }

  /** Runs a handler of the user's; what goes wrong in it is reported. A promise that waits for it, if it takes time. */
  guard<T>(call: (value: T) => unknown, value: T): Promise<void> | undefined {
    try {
      const result = call(value);
      if (result === undefined || !isThenable(result)) return undefined;
      return Promise.resolve(result).then(() => {}, (cause: unknown) => this.report(handlerFailed(cause)));
    } catch (cause) {
      this.report(handlerFailed(cause));
      return undefined;
    }
  }

  #all<N extends keyof ClientEvents>(name: N): Iterable<ClientEvents[N]> {
    return (this.#sets[name] as Set<ClientEvents[N]> | undefined) ?? [];
  }
}

/** What a function of the application threw, in our words. */
export function handlerFailed(cause: unknown): MqttError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MqttError('handler-failed', `A function of the application failed: ${why}`, { cause });
}
