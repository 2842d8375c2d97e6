// What a Worker's own code calls on the stub of a room. What is asked for is checked in the broker, as it may be somebody else's
// wish; who is asking is the caller's to know.

import { DurableObject } from 'cloudflare:workers';
import {
  type Answer,
  type Broker,
  type BrokerStatistics,
  type ClientDetails,
  type HostPublishOptions,
  MqttError,
  type Page,
  type PageOptions,
  type Payload,
  type RetainedMessage,
  type RetainedOptions,
} from 'mqlite/broker';
import mqlite from 'mqlite/package.json' with { type: 'json' };
import { type UserChange, UserError, type Users, type UserSummary } from './access/users.js';
import type { Environment } from './environment.js';
import { FORWARD, type ForwardStatistics } from './forward/forwarder.js';
import { Guests, type Identity } from './guests.js';
import { READER } from './http/place.js';
import { Traces } from './traces.js';

/** One of many messages. */
export interface RoomMessage extends HostPublishOptions {
  readonly topic: string;
  readonly payload: Payload;
}

/** What became of one of many messages. */
export interface PublishOutcome {
  /** A Reason Code: 0x00, 0x10 when nobody subscribes to it, from 0x80 when it was refused. */
  readonly reason: number;
  /** Why it was refused, in a sentence. */
  readonly error?: string;
}

/** What became of a change of a user: whether the user is a new one, or why nothing has changed, in a sentence. */
export type UserOutcome = { readonly isNew: boolean } | { readonly error: string };

/** What a room counts. */
export interface RoomStatistics {
  /** Of the package `mqlite`. */
  readonly version: string;
  /** Seconds since the room woke, which is when it begins to count: a room that sleeps forgets. */
  readonly uptimeSeconds: number;
  /** Clients that were not let in for who they are. */
  readonly authenticationFailures: number;
  /** What each forward counts. */
  readonly forwards: readonly ForwardStatistics[];
  /** What the `$SYS` topics say, too. */
  readonly broker: BrokerStatistics;
}

/**
 * The calls. All are for the Worker's own code: no route leads to them but those of the HTTP API, which ask who is calling. An error
 * comes to the caller with its `name`, `message`, `code` and `reason`.
 */
export abstract class RoomCalls extends DurableObject<Environment> {
  protected abstract readonly broker: Broker;
  /** The users of this room. */
  protected abstract readonly users: Users;
  /** Who comes in by a call of the Worker's own code. */
  protected readonly guests = new Guests();
  protected readonly traces = new Traces(() => this.broker);
  protected authenticationFailures = 0;
  readonly #since = Date.now();

  /**
   * Publishes a message that comes from no client. Resolves when the broker has taken it and what is to be kept is durable.
   *
   * @param topic - A Topic Name, or `$delayed/SECONDS/TOPIC` for later.
   * @param payload - Text, bytes, or what becomes JSON.
   * @param options - QoS (default 0), RETAIN (default false), properties, and on whose behalf: default the room's own.
   * @returns `reason` 0x00, or 0x10 when nobody subscribes to it.
   * @throws MqttError `refused` with a `reason`: 0x87 beyond the grants, 0x90 for what is no Topic Name, 0x95 Packet too large, 0x97
   * Quota exceeded, 0x9A or 0x9B; `invalid-options`, `closed`, or a code that begins with `storage-`.
   */
  async publish(topic: string, payload: Payload, options: HostPublishOptions = {}): Promise<Answer> {
    this.mustBeHere();
    return this.broker.publish(topic, payload, options);
  }

  /**
   * Publishes many messages, in order, with one call. One that is refused does not keep the others back.
   *
   * @param messages - At most 10,000, and 32 MiB in all, which is what a call may carry.
   * @returns What became of each, in the same order.
   * @throws RangeError for more, and MqttError `closed` or a code that begins with `storage-`.
   */
  async publishAll(messages: readonly RoomMessage[]): Promise<PublishOutcome[]> {
    this.mustBeHere();
    if (messages.length > MOST_MESSAGES) throw new RangeError(`One call publishes ${MOST_MESSAGES} messages at most.`);
    const publish = ({ topic, payload, ...options }: RoomMessage) => this.broker.publish(topic, payload, options);
    return Promise.all(messages.map((message) => publish(message).then(({ reason }) => ({ reason }), refusal)));
  }

  /**
   * What is retained, page by page.
   *
   * @param filter - A Topic Filter.
   * @param options - `limit` messages, from 1 to 1,000 (default 100), `after` the `next` of the page before, and on whose behalf.
   * @throws MqttError `refused` with a `reason`: 0x87 unless all of the filter may be subscribed to, 0x8F for what is no Topic Filter.
   */
  retained(filter: string, options: RetainedOptions = {}): Page<RetainedMessage> {
    return this.broker.retained(filter, options);
  }

  /**
   * The clients that are connected or have a session, by their identifiers, page by page. Those that the room has for its forwards
   * are not among them; each reader of `GET /subscribe` is one, whose identifier begins with `$sse/`.
   *
   * @param options - `limit` clients, from 1 to 1,000 (default 100), `after` the `next` of the page before.
   */
  clients({ limit = 100, after }: PageOptions = {}): Page<ClientDetails> {
    const items: ClientDetails[] = [];
    for (let from = after; ; ) {
      const page = this.broker.clients({ limit: limit - items.length, ...(from !== undefined && { after: from }) });
      items.push(...page.items.filter(({ clientId }) => !clientId.startsWith(FORWARD)));
      from = page.next;
      if (from === undefined || items.length === limit) return { items, ...(from !== undefined && { next: from }) };
    }
  }

  /**
   * Disconnects a client: MQTT 5 clients are told 0x98 Administrative action. Its will is published, and it may come back.
   *
   * @param clientId - Its Client Identifier.
   * @param options - `endSession` ends its session, too, connected or not. Default false.
   * @returns Whether there was one.
   * @throws MqttError `refused` with the reason 0x87 for a forward of the room: what waits in its session would be lost.
   */
  kick(clientId: string, { endSession = false }: { endSession?: boolean } = {}): boolean {
    if (clientId.startsWith(FORWARD)) throw new MqttError('refused', 'This client is a forward of the room.', { reason: NOT_AUTHORIZED });
    return this.broker.disconnect(clientId, { endSession });
  }

  /** What each forward of this room counts, since the room woke. */
  abstract forwardStatistics(): ForwardStatistics[];

  /** What the room counts. */
  stats(): RoomStatistics {
    const { authenticationFailures } = this;
    const uptimeSeconds = Math.floor((Date.now() - this.#since) / 1_000);
    const { version } = mqlite;
    return { version, uptimeSeconds, authenticationFailures, forwards: this.forwardStatistics(), broker: this.broker.statistics() };
  }

  /**
   * The packets of one client, without payloads and secrets, until the time is over or the reader cancels. The room does not sleep
   * meanwhile.
   *
   * @param clientId - Its Client Identifier. It need not be connected yet.
   * @param seconds - How long, from 1 to 600. Default 60.
   * @returns Lines of JSON: each a `TracedPacket`, or `{ "dropped": NUMBER }` where the reader was too slow for so many.
   * @throws RangeError for other seconds, and MqttError `queue-full` while 16 traces are under way, or `invalid-options` for what is no
   * Client Identifier.
   */
  trace(clientId: string, seconds = 60): Promise<ReadableStream<Uint8Array>> {
    return this.traces.begin(clientId, seconds);
  }

  /** All users, by name. */
  listUsers(): UserSummary[] {
    return this.users.list();
  }

  /** One user, or `undefined`. */
  findUser(name: string): UserSummary | undefined {
    const { verifier: _, ...user } = this.users.find(name) ?? {};
    return _ === undefined ? undefined : { name, ...user };
  }

  /**
   * Adds a user, or replaces what is known of one. Clients that are connected keep their rights until they connect again.
   *
   * @param name - 1 to 256 bytes.
   * @param change - A user that exists keeps its password where there is none; `grants` and `clientIds` are replaced.
   * @returns Whether it is a new one, durable then, or what is wrong with it: nothing has changed then.
   * @throws MqttError `storage-full` beyond what a room keeps.
   */
  async putUser(name: string, change: UserChange): Promise<UserOutcome> {
    this.mustBeHere();
    try {
      return { isNew: await this.users.put(name, change) };
    } catch (error) {
      // What a call throws is a failure in the platform's log.
      if (error instanceof UserError) return { error: error.message };
      throw error;
    }
  }

  /**
   * Removes a user, and disconnects its clients.
   *
   * @returns Whether there was one. Durable when it resolves.
   */
  async removeUser(name: string): Promise<boolean> {
    this.mustBeHere();
    if (!(await this.users.remove(name))) return false;
    for (let after: string | undefined; ; ) {
      const { items, next }: Page<ClientDetails> = this.broker.clients({ limit: 1_000, ...(after !== undefined && { after }) });
      for (const { clientId, userName, connected } of items) if (connected && userName === name) this.broker.disconnect(clientId);
      if (next === undefined) return true;
      after = next;
    }
  }

  /** Ends the sessions of those who read events: what they had is no longer what the room has. */
  protected endReaders(): void {
    for (let after: string | undefined; ; ) {
      const { items, next }: Page<ClientDetails> = this.broker.clients({ limit: 1_000, ...(after !== undefined && { after }) });
      for (const { clientId } of items) if (clientId.startsWith(READER)) this.broker.disconnect(clientId, { endSession: true });
      if (next === undefined) return;
      after = next;
    }
  }

  /** @throws MqttError `refused` with the reason 0x88 while the room moves, and when it has moved: what is changed would be lost. */
  protected abstract mustBeHere(): void;

  /** For `session`: expects a guest, who comes with this ticket. */
  admit(identity: Identity): string {
    return this.guests.expect(identity);
  }
}

function refusal(error: MqttError): PublishOutcome {
  const { code, message, reason = UNSPECIFIED_ERROR } = error;
  if (code !== 'refused' && code !== 'invalid-options') throw error;
  return { reason, error: message };
}

const MOST_MESSAGES = 10_000;

// Reason Codes.
const UNSPECIFIED_ERROR = 0x80;
const NOT_AUTHORIZED = 0x87;
