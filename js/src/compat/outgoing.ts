// Messages of the application that are not settled yet. Those of QoS 0 wait here for a connection, the others in the client.

import { MqttError } from '../error.js';
import { unguarded } from './emitter.js';
import { refusedMessage } from './errors.js';
import type { Connection } from './connection.js';
import { toMessageProperties } from './properties.js';
import type { IClientPublishOptions, IPubrelPacket, IPublishPacket, PacketCallback } from './types.js';

interface Entry {
  readonly packet: IPublishPacket;
  readonly message: string | Uint8Array;
  readonly options: IClientPublishOptions;
  readonly callback: PacketCallback | undefined;
  readonly abort: AbortController;
  readonly settled: Promise<void>;
  readonly settle: () => void;
}

export class Outgoing {
  readonly #connection: () => Connection | undefined;
  /** Of QoS 1 and 2, by their numbers. */
  readonly #entries = new Map<number, Entry>();
  /** Of QoS 0, while there is no connection. */
  #queue: Entry[] = [];
  #lastId = 0;

  constructor(connection: () => Connection | undefined) {
    this.#connection = connection;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** A number from 1 to 65,535, as if it were a Packet Identifier. */
  nextId(): number {
    this.#lastId = (this.#lastId % MOST_IDENTIFIERS) + 1;
    return this.#entries.has(this.#lastId) && this.#entries.size < MOST_IDENTIFIERS ? this.nextId() : this.#lastId;
  }

  add(
    topic: string,
    message: string | Uint8Array,
    options: IClientPublishOptions,
    { isConnected, callback }: { isConnected: boolean; callback: PacketCallback | undefined },
  ): void {
    const { qos = 0, retain = false, dup = false, properties, cbStorePut } = options;
    const messageId = qos === 0 ? 0 : this.nextId();
    const payload = message as IPublishPacket['payload'];
    const packet: IPublishPacket = { cmd: 'publish', topic, payload, qos, retain, messageId, dup };
    if (properties) packet.properties = properties as NonNullable<IPublishPacket['properties']>;
    let settle!: () => void;
    const settled = new Promise<void>((resolve) => (settle = resolve));
    const entry: Entry = { packet, message, options, callback, abort: new AbortController(), settled, settle };
    if (qos > 0) {
      this.#entries.set(messageId, entry);
      if (cbStorePut) unguarded(cbStorePut);
      void this.#send(entry);
    } else if (isConnected) {
      void this.#send(entry);
    } else if (this.#queue.length < MOST_QUEUED) {
      this.#queue.push(entry);
    } else {
      queueMicrotask(() => this.#done(entry, new MqttError('queue-full', 'Too many messages wait for a connection.')));
    }
  }

  remove(messageId: number): void {
    const entry = this.#entries.get(messageId);
    if (!entry) return;
    this.#done(entry, new MqttError('aborted', 'The message was taken back.'));
    entry.abort.abort();
  }

  /** There is another client: it is given what the last one had not settled. */
  renew(): void {
    for (const entry of this.#entries.values()) void this.#send(entry);
  }

  /** Resolves when all that is there now is settled; nothing, if nothing is. */
  settled(): Promise<unknown> | undefined {
    if (this.#entries.size === 0) return undefined;
    return Promise.all([...this.#entries.values()].map(({ settled }) => settled));
  }

  /** There is a connection. Resolves when what waited for it was sent; nothing, if nothing did. */
  flush(): Promise<unknown> | undefined {
    if (this.#queue.length === 0) return undefined;
    return Promise.all(this.#queue.splice(0).map((entry) => this.#send(entry, true)));
  }

  /** Nothing will be sent any more. */
  end(error: MqttError): void {
    for (const entry of [...this.#entries.values(), ...this.#queue.splice(0)]) this.#done(entry, error);
  }

  async #send(entry: Entry, hasWaited = false): Promise<void> {
    const { qos, retain, topic, properties } = { ...entry.packet, properties: entry.options.properties };
    const connection = this.#connection();
    if (!connection) return; // it is sent when there is one
    try {
      const client = await connection.client;
      await client.publish(topic, entry.message, {
        qos,
        retain,
        signal: entry.abort.signal,
        ...(properties && { properties: toMessageProperties(properties) as object }),
      });
    } catch (error) {
      // (4.4) a server that has forgotten the identifier when it is released once more has had the message.
      if (error instanceof MqttError && error.reason === PACKET_IDENTIFIER_NOT_FOUND && qos === 2) return this.#done(entry);
      const isUnsettled = error instanceof MqttError && (error.code === 'interrupted' || error.code === 'closed');
      if (!isUnsettled || qos === 0) return this.#done(entry, refusedMessage(error as Error));
      // The server has lost the session, or this client has ended: MQTT.js sends it again.
      if (connection === this.#connection() && !connection.isOver && this.#entries.get(entry.packet.messageId ?? 0) === entry) {
        return this.#send(entry);
      }
      return;
    }
    this.#done(entry, undefined, hasWaited);
  }

  #done(entry: Entry, error?: Error, hasWaited = false): void {
    const { packet, callback, settle } = entry;
    const { qos, messageId = 0 } = packet;
    if (qos > 0 && this.#entries.get(messageId) !== entry) return;
    if (qos > 0) this.#entries.delete(messageId);
    if (callback) unguarded(() => callback(...result(packet, error, hasWaited)));
    settle();
  }
}

/** What MQTT.js tells a callback: more for a higher QoS. */
function result(packet: IPublishPacket, error: Error | undefined, hasWaited: boolean): Parameters<PacketCallback> {
  const { qos, messageId } = packet;
  if (error) return [error];
  if (qos === 0) return hasWaited ? [undefined] : [];
  return [null, qos === 1 ? packet : ({ cmd: 'pubrel', qos: 2, messageId } as IPubrelPacket)];
}

const MOST_IDENTIFIERS = 65_535;

/** Messages of QoS 0. */
const MOST_QUEUED = 10_000;

const PACKET_IDENTIFIER_NOT_FOUND = 0x92;
