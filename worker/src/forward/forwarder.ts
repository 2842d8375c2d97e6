// One forward: a session of the room's own, whose messages are acknowledged when they are delivered. So they wait in order, within
// the limits of every session, and survive what the room survives. Knows no transport but its target.

import type { Broker, Client, Message, Timer } from 'mqlite/broker';
import type { Insiders } from '../insiders.js';
import type { Log } from '../log.js';
import type { Bury } from './dead-letter.js';
import { type ForwardedMessage, toJson } from '../message-json.js';
import type { Account, Ledger } from './ledger.js';
import type { KnownForward } from './settings.js';
import { DeliveryError, type Target } from './targets.js';

/** What a forward counts since its room woke, and what waits now. */
export interface ForwardStatistics {
  readonly name: string;
  /** Messages that were delivered. */
  delivered: number;
  /** Attempts that failed, of one message or of a batch. */
  attemptsFailed: number;
  /** Messages that went to the dead letter. */
  deadLettered: number;
  /** Messages that were given up: their attempts used up without a dead letter, or QoS 0 and not delivered at once. */
  lost: number;
  /** Messages at hand, the ones being tried among them; more may wait in the session. */
  waiting: number;
}

/** What a forward needs of its room. */
export interface ForwardParts {
  readonly room: string;
  readonly insiders: Insiders;
  readonly ledger: Ledger;
  readonly target: Target;
  /** Takes messages whose attempts are used up. */
  readonly bury: Bury | undefined;
  /** The topics that dead letters go to: what comes from there is not buried again. */
  readonly graves: ReadonlySet<string>;
  readonly timer: Timer;
  readonly clock: () => number;
  readonly log: Log;
}

interface Waiting {
  readonly message: Message;
  /** Its number, unless it is of QoS 0 or has none yet. */
  number: number | undefined;
}

/** A forward at work. */
export class Forwarder {
  readonly #forward: KnownForward;
  readonly #parts: ForwardParts;
  readonly #counts: Omit<ForwardStatistics, 'name' | 'waiting'> = { delivered: 0, attemptsFailed: 0, deadLettered: 0, lost: 0 };
  #account: Account;
  #client: Client | undefined;
  #isRemembered: boolean;
  #waiting: Waiting[] = [];
  /** The numbers of messages that an earlier connection has brought, by Packet Identifier. */
  #known = new Map<number, number>();
  /** Rises with each connection: what was begun over an earlier one is begun again. */
  #connection = 0;
  #isBusy = false;
  #isAwaited = false;
  /** Whether its session is connected, or is about to be. */
  #isOpen = false;

  /** Sets the alarm if one is due: the broker, when it opens, then leaves that armed. */
  constructor(forward: KnownForward, parts: ForwardParts) {
    this.#forward = forward;
    this.#parts = parts;
    const account = parts.ledger.read(forward.name);
    this.#isRemembered = account !== undefined;
    this.#account = account ?? newAccount(forward);
    if (this.#account.retryAt > 0) parts.timer.set(this.#account.retryAt, () => this.#go());
  }

  get statistics(): ForwardStatistics {
    return { name: this.#forward.name, ...this.#counts, waiting: this.#waiting.length };
  }

  /** Connects its session; resolves before that is done. */
  async open(broker: Broker): Promise<void> {
    const { name, filter, qos, batch } = this.#forward;
    this.#isOpen = true;
    // No message comes before there is somebody to take it.
    const ready = Promise.withResolvers<Broker>();
    const take = (message: Message) => this.#take(message);
    const client = await this.#parts.insiders.connect(() => ready.promise, {
      clientId: clientIdOf(name),
      cleanStart: false,
      keepAlive: 0,
      waitForConnection: false,
      assignedTopicAliases: 0,
      properties: { sessionExpiryInterval: NEVER, receiveMaximum: Math.max(batch, AT_HAND), maximumPacketSize: LARGEST, topicAliasMaximum: 0 },
      // What waits from before the filter was another.
      onMessage: take,
      manualAck: true,
    });
    this.#client = client;
    client.on('status', (status, { sessionPresent }) => status === 'connected' && this.#connected(sessionPresent === true));
    client.on('error', (error) => this.#parts.log.error('forwardFailed', { forward: name, message: error.message }));
    void client.ended.then(() => this.#ended(client, broker));
    client.subscribe(filter, { qos, manualAck: true, retainAsPublished: true, retainHandling: 'doNotSend' }, take).catch((error: Error) => {
      this.#parts.log.error('forwardRefused', { forward: name, message: error.message });
    });
    const { filter: former } = this.#account;
    if (former !== filter) client.unsubscribe(former).catch(() => {});
    if (former !== filter || !this.#isRemembered) this.#write({ filter });
    ready.resolve(broker);
  }

  /** Lets go of the connection, but not of the session. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#pause();
    this.#parts.timer.clear();
    await client?.end({ sessionExpiryInterval: NEVER });
  }

  /** Lets go of the session, and of what waits in it. */
  static async forget(name: string, broker: Broker, { insiders, ledger }: Pick<ForwardParts, 'insiders' | 'ledger'>): Promise<void> {
    const client = await insiders.connect(() => broker, { clientId: clientIdOf(name), cleanStart: true, reconnect: false });
    await client.end();
    ledger.remove(name);
  }

  /** The room is another from now on: what was at hand is not its own, and numbers that were given are given no more. */
  begin(): void {
    this.#connection += 1;
    this.#waiting = [];
    this.#account = newAccount(this.#forward);
    this.#write({});
    this.#known.clear();
  }

  #connected(sessionPresent: boolean): void {
    this.#connection += 1;
    this.#waiting = [];
    const entries = sessionPresent ? this.#account.entries : [];
    this.#known = new Map(entries.map(([number, packetIdentifier]) => [packetIdentifier, number]));
  }

  /** Somebody has ended its connection. */
  #ended(client: Client, broker: Broker): void {
    if (client !== this.#client) return;
    this.#pause();
    this.#parts.timer.set(this.#parts.clock() + this.#forward.maximumDelayMillis, () => {
      this.open(broker).catch((error: Error) => this.#parts.log.error('forwardFailed', { forward: this.#forward.name, message: error.message }));
    });
  }

  #pause(): void {
    this.#isOpen = false;
    this.#connection += 1;
    this.#waiting = [];
  }

  #take(message: Message): void {
    if (message.qos === 0 && this.#waiting.length >= MOST_WAITING) return this.#lose(1, 'Too many messages of QoS 0 wait.');
    this.#waiting.push({ message, number: this.#numberOf(message) });
    this.#goSoon();
  }

  /** Goes on once all has come that comes within this turn: it is delivered together. */
  #goSoon(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setTimeout(() => {
      this.#isAwaited = false;
      this.#go();
    }, 0);
  }

  /** The number that it had over an earlier connection. */
  #numberOf({ qos, dup, packetIdentifier = 0 }: Message): number | undefined {
    if (qos === 0) return undefined;
    const number = this.#known.get(packetIdentifier);
    if (dup) this.#known.delete(packetIdentifier);
    // All that is sent again comes before what is new.
    else this.#known.clear();
    return dup ? number : undefined;
  }

  /** Tries what comes first, if it is due. */
  #go(): void {
    if (this.#isBusy || !this.#isOpen) return;
    if (this.#waiting.length === 0) return this.#account.retryAt === 0 ? this.#parts.timer.clear() : undefined;
    // What was tried before may be gone: it has expired, or somebody has ended the session.
    if (this.#waiting[0]?.number !== this.#account.entries[0]?.[0]) this.#account = { ...this.#account, ...UNTRIED };
    if (this.#parts.clock() < this.#account.retryAt) return this.#parts.timer.set(this.#account.retryAt, () => this.#go());
    this.#isBusy = true;
    const failed = (error: Error) => this.#parts.log.error('forwardFailed', { forward: this.#forward.name, message: error.message });
    void this.#try().catch(failed).finally(() => {
      this.#isBusy = false;
      this.#goSoon();
    });
  }

  async #try(): Promise<void> {
    const { room, clock, timer, target } = this.#parts;
    const { name, timeoutMillis } = this.#forward;
    const connection = this.#connection;
    const batch = this.#next();
    const messages = batch.map(({ message, number }) => ({ id: this.#idOf(number), ...toJson(message) }));
    // Should the room end meanwhile, this wakes it.
    timer.set(clock() + 2 * timeoutMillis, () => this.#go());
    try {
      await target(idOf(messages), { room, forward: name, messages });
    } catch (error) {
      if (connection === this.#connection) await this.#failed(batch, messages, error);
      return;
    }
    if (connection !== this.#connection) return;
    this.#counts.delivered += batch.length;
    this.#settle(batch);
  }

  /** What is tried together: what was, or as many as make a batch. All have numbers then, which are durable before anybody hears of them. */
  #next(): Waiting[] {
    const { batch: most } = this.#forward;
    const count = this.#account.attempts > 0 ? this.#account.tried : most;
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#waiting.slice(0, Math.max(count, 1))) {
      bytes += sizeOf(waiting.message);
      if (batch.length > 0 && bytes > MOST_BYTES) break;
      batch.push(waiting);
    }
    let { next } = this.#account;
    const isNew = batch.some(({ message, number }) => message.qos > 0 && number === undefined);
    for (const waiting of batch) if (waiting.message.qos > 0) waiting.number ??= next++;
    const entries = this.#entries();
    if (isNew || entries.length !== this.#account.entries.length) this.#write({ next, entries });
    return batch;
  }

  /** Acknowledges what was dealt with; in one commit with what is remembered of it. */
  #settle(batch: Waiting[]): void {
    const done = new Set(batch);
    this.#waiting = this.#waiting.filter((waiting) => !done.has(waiting));
    if (batch.some(({ message }) => message.qos > 0)) {
      this.#write({ entries: this.#entries(), ...UNTRIED });
      for (const { message } of batch) message.ack();
    }
  }

  async #failed(batch: Waiting[], messages: ForwardedMessage[], error: unknown): Promise<void> {
    const { clock, timer, log, bury } = this.#parts;
    const { name, maximumAttempts } = this.#forward;
    const reason = sentenceOf(error);
    const attempts = this.#account.attempts + 1;
    this.#counts.attemptsFailed += 1;
    const kept = batch.filter(({ message }) => message.qos > 0);
    const isOver = attempts >= maximumAttempts || isFinal(error);
    const wait = isOver ? this.#forward.maximumDelayMillis : this.#delay(attempts, error);
    log.warn('forwardFailed', { forward: name, id: idOf(messages), attempt: attempts, message: reason, ...(!isOver && { retryInMillis: wait }) });
    const passing = batch.filter(({ message }) => message.qos === 0);
    if (passing.length > 0) {
      this.#settle(passing);
      this.#lose(passing.length, reason);
    }
    if (kept.length === 0) return;
    if (isOver && (await this.#buried(kept, bury, attempts, reason))) return;
    const retryAt = clock() + wait;
    this.#write({ tried: kept.length, attempts, retryAt });
    timer.set(retryAt, () => this.#go());
  }

  /** Whether nothing more is to be done for what has no attempts left. */
  async #buried(batch: Waiting[], bury: Bury | undefined, attempts: number, reason: string): Promise<boolean> {
    const { log, graves } = this.#parts;
    const { name } = this.#forward;
    const connection = this.#connection;
    for (const waiting of batch) {
      const { message, number } = waiting;
      const id = this.#idOf(number);
      if (bury && !graves.has(message.topic)) {
        try {
          await bury(id, message, { forward: name, attempts, reason });
          this.#counts.deadLettered += 1;
        } catch (error) {
          log.error('deadLetterFailed', { forward: name, id, message: sentenceOf(error) });
          if (!isFinal(error)) return connection !== this.#connection;
          this.#lose(1, sentenceOf(error), id);
        }
      } else {
        this.#lose(1, reason, id);
      }
      if (connection !== this.#connection) return true;
      this.#settle([waiting]);
    }
    return true;
  }

  #lose(count: number, reason: string, id?: string): void {
    this.#counts.lost += count;
    this.#parts.log.warn('forwardLost', { forward: this.#forward.name, ...(id !== undefined && { id }), count, message: reason });
  }

  /** Milliseconds until the next attempt: twice as many each time, less a random part of up to a half. */
  #delay(attempts: number, error: unknown): number {
    const { minimumDelayMillis, maximumDelayMillis } = this.#forward;
    const doubled = Math.min(minimumDelayMillis * 2 ** Math.min(attempts - 1, 30), maximumDelayMillis);
    const asked = error instanceof DeliveryError ? (error.retryAfterMillis ?? 0) : 0;
    return Math.round(Math.max(doubled * (1 - Math.random() / 2), Math.min(asked, maximumDelayMillis)));
  }

  /** The identifier of a message. Those of QoS 0 are not delivered again. */
  #idOf(number: number | undefined): string {
    const { room } = this.#parts;
    return number === undefined ? crypto.randomUUID() : `${room}/${this.#forward.name}/${this.#account.epoch}-${number}`;
  }

  /** Those at hand, and those that are still to be sent again. */
  #entries(): Account['entries'] {
    const atHand = this.#waiting.flatMap(({ message, number }) => (number === undefined ? [] : [[number, message.packetIdentifier ?? 0] as const]));
    return [...atHand, ...[...this.#known].map(([packetIdentifier, number]) => [number, packetIdentifier] as const)];
  }

  #write(changes: Partial<Account>): void {
    this.#account = { ...this.#account, ...changes };
    this.#isRemembered = true;
    this.#parts.ledger.write(this.#forward.name, this.#account);
  }
}

/** The Client Identifier of a forward's session. */
function clientIdOf(name: string): string {
  return FORWARD + name;
}

/** The identifier of a batch: another when anything in it is. */
function idOf(messages: readonly ForwardedMessage[]): string {
  const [first, last] = [messages[0]?.id ?? '', messages.at(-1)?.id ?? ''];
  return messages.length === 1 ? first : `${first}..${last.slice(last.lastIndexOf('/') + 1)}`;
}

function newAccount({ filter }: KnownForward): Account {
  return { filter, epoch: crypto.randomUUID().slice(0, 8), next: 1, entries: [], ...UNTRIED };
}

/** What can be told of an error: a platform's own sentences may hold what was to be sent. */
function sentenceOf(error: unknown): string {
  return error instanceof DeliveryError ? error.message : 'The connection failed.';
}

/** The Client Identifiers of forwards begin so. */
export const FORWARD = '$forward/';

/** Whether no attempt more will do: then nothing behind it is to wait. */
function isFinal(error: unknown): boolean {
  return error instanceof DeliveryError && error.isFinal;
}

/** Bytes that it takes as JSON: of some payloads, six times as many as the payload has. */
function sizeOf(message: Message): number {
  return encoder.encode(JSON.stringify(toJson(message))).byteLength;
}

const encoder = new TextEncoder();

/** Of what comes first. */
const UNTRIED = { tried: 0, attempts: 0, retryAt: 0 };

/** A Session Expiry Interval. */
const NEVER = 0xffff_ffff;

/** Bytes: the largest packet that there can be. */
const LARGEST = 268_435_455;

/** Messages that the broker sends before they are acknowledged: each that has to wait in the session costs two more rows. */
const AT_HAND = 16;

/** Messages at hand, beyond which those of QoS 0 are lost. */
const MOST_WAITING = 1_000;

/** Bytes of a batch of more than one message, as JSON: a Queue takes 256,000 in all. */
const MOST_BYTES = 96 << 10;
