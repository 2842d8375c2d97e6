// All forwards of a room. Knows no message.

import type { Broker, Timer } from 'mqlite/broker';
import type { Insiders } from '../insiders.js';
import type { Log } from '../log.js';
import { buryIn, topicOf } from './dead-letter.js';
import { Forwarder, type ForwardStatistics } from './forwarder.js';
import { Ledger } from './ledger.js';
import { faultOf, type Forward, known } from './settings.js';
import { targetOf } from './targets.js';

/** What the forwards of a room need of it. */
export interface ForwardsParts {
  readonly room: string;
  /** What the Worker has: Queues, Services and secrets by their names. */
  readonly bindings: object;
  readonly sql: SqlStorage;
  readonly insiders: Insiders;
  /** Makes one more timer over the object's alarm. */
  readonly timer: () => Timer;
  readonly clock: () => number;
  readonly log: Log;
}

/** Opens the forwards of a room after its broker. */
export class Forwards {
  readonly #parts: ForwardsParts;
  readonly #forwarders: Forwarder[] = [];
  /** The names of those that were taken away. */
  readonly #former: string[] = [];
  readonly #ledger: Ledger | undefined;
  /** The topics that dead letters go to. */
  readonly #graves = new Set<string>();
  #broker: Broker | undefined;

  constructor(forwards: readonly Forward[], parts: ForwardsParts) {
    this.#parts = parts;
    const hasTable = parts.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'forwards'").toArray().length > 0;
    if (forwards.length === 0 && !hasTable) return;
    this.#ledger = new Ledger(parts.sql);
    const names = forwards.map(({ name }) => name);
    this.#former = this.#ledger.names().filter((name) => !names.includes(name));
    for (const [index, forward] of forwards.entries()) {
      const fault = names.indexOf(forward.name) < index ? 'Another forward has this name.' : faultOf(forward, parts.bindings);
      if (fault === undefined) this.#add(forward, this.#ledger);
      else parts.log.error('forwardRefused', { forward: String(forward.name), message: fault });
    }
  }

  /** What each counts. */
  get statistics(): ForwardStatistics[] {
    return this.#forwarders.map(({ statistics }) => statistics);
  }

  async open(broker: Broker): Promise<void> {
    this.#broker = broker;
    for (const forwarder of this.#forwarders) await forwarder.open(broker);
    const { insiders, log } = this.#parts;
    const ledger = this.#ledger;
    // Not awaited: it needs the answers of the broker.
    for (const name of ledger ? this.#former.splice(0) : []) {
      Forwarder.forget(name, broker, { insiders, ledger: ledger as Ledger }).then(
        () => log.info('forwardRemoved', { forward: name }),
        (error: Error) => log.error('forwardFailed', { forward: name, message: error.message }),
      );
    }
  }

  /** Delivers nothing any more, until they are opened again. What waits goes on waiting. */
  async close(): Promise<void> {
    await Promise.all(this.#forwarders.map((forwarder) => forwarder.close()));
  }

  /** The room has been replaced by another. */
  begin(): void {
    for (const forwarder of this.#forwarders) forwarder.begin();
  }

  #add(forward: Forward, ledger: Ledger): void {
    const { room, bindings, timer, log, insiders, clock } = this.#parts;
    const whole = known(forward);
    const grave = topicOf(forward.deadLetter);
    if (grave !== undefined) this.#graves.add(grave);
    try {
      const target = targetOf(whole, bindings);
      const broker = () => this.#broker as Broker;
      const bury = forward.deadLetter && buryIn(forward.deadLetter, bindings, room, broker, whole.timeoutMillis);
      this.#forwarders.push(new Forwarder(whole, { room, insiders, ledger, target, bury, graves: this.#graves, timer: timer(), clock, log }));
    } catch (error) {
      log.error('forwardRefused', { forward: forward.name, message: (error as Error).message });
    }
  }
}
