// One reader of Server-Sent Events: a client of the room with a session that outlives it for a while, so that a reader which comes
// back goes on where it was. The client is here and not in the room, which sleeps while nothing comes.

import type { Client, Message, QoS } from 'mqlite/broker';
import type { Identity } from '../guests.js';
import { toJson } from '../message-json.js';
import { session, type SessionOptions } from '../session.js';
import { event, HEARTBEAT, HEARTBEAT_MILLIS } from './event.js';
import { idOf, type Place, Sessions } from './place.js';

/** What a reader wants. */
export interface ReaderOptions {
  readonly filters: readonly string[];
  readonly qos: Exclude<QoS, 2>;
  readonly identity: Identity;
  /** What the reader says of where it was. */
  readonly lastEventId?: string | undefined;
  /** QoS 1 messages that the room sends before it is told that they were taken: half of them stay with it. */
  readonly maximumInFlight: number;
}

type Room = Parameters<typeof session>[0];

/**
 * The events of a reader, once the room has granted all filters.
 * @throws MqttError when the room does not let it in, or refuses a filter.
 */
export async function readEvents(room: Room, options: ReaderOptions): Promise<ReadableStream<Uint8Array>> {
  const { identity, filters, qos, lastEventId } = options;
  const sessions = await Sessions.of(identity.userName ?? '', [`${qos}`, ...filters]);
  const place = lastEventId === undefined || qos === 0 ? undefined : sessions.parse(lastEventId);
  const resumed = place && (await resume(room, options, place));
  return resumed ?? begin(room, options, sessions.create(), lastEventId !== undefined && qos > 0);
}

/** `undefined` when the room has no such session, or not for this reader. */
async function resume(room: Room, options: ReaderOptions, place: Place): Promise<ReadableStream<Uint8Array> | undefined> {
  const reader = new Reader(options, place.clientId, place.packetIdentifier);
  try {
    await reader.connect(room);
  } catch (error) {
    if ((error as { reason?: number }).reason === CLIENT_IDENTIFIER_NOT_VALID) return undefined;
    throw error;
  }
  if (reader.isResumed) return reader.events();
  await reader.leave();
  return undefined;
}

async function begin(room: Room, options: ReaderOptions, clientId: string, hasGap: boolean): Promise<ReadableStream<Uint8Array>> {
  const reader = new Reader(options, clientId);
  await reader.connect(room);
  if (hasGap) reader.tellGap();
  return reader.events();
}

class Reader {
  readonly #options: ReaderOptions;
  readonly #clientId: string;
  /** The last message that the reader has, while it has not come again. */
  #last: number | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  /** What came again before it. */
  #early: Message[] = [];
  #client: Client | undefined;
  /** What was written and not yet taken. */
  #queue: { readonly bytes: Uint8Array; readonly message?: Message }[] = [];
  #queuedBytes = 0;
  /** What the reader may ask for again, the oldest first. */
  #kept: Message[] = [];
  #keptBytes = 0;
  #hasGap = false;
  #isOver = false;
  #wake = () => {};
  #takenAt = Date.now();

  constructor(options: ReaderOptions, clientId: string, last?: number) {
    this.#options = options;
    this.#clientId = clientId;
    this.#last = last;
  }

  get isResumed(): boolean {
    return this.#client?.sessionPresent ?? false;
  }

  /** Connects and subscribes. */
  async connect(room: Room): Promise<void> {
    const { identity, filters, qos, maximumInFlight } = this.#options;
    const take = (message: Message) => this.#take(message);
    const said: SessionOptions = {
      identity,
      clientId: this.#clientId,
      cleanStart: this.#last === undefined,
      properties: { sessionExpiryInterval: qos === 0 ? 0 : SESSION_EXPIRY_SECONDS, receiveMaximum: maximumInFlight },
      onMessage: take,
      manualAck: true,
    };
    const client = await session(room, said);
    this.#client = client;
    void client.ended.then(() => this.#end());
    try {
      await client.subscribe(filters, { qos, retainHandling: 'sendIfNew', manualAck: true }, take);
    } catch (error) {
      await this.leave();
      throw error;
    }
    this.#waitForLast();
  }

  /** Ends the session, too. */
  leave(): Promise<void> | undefined {
    return this.#client?.end({ sessionExpiryInterval: 0 });
  }

  tellGap(): void {
    this.#hasGap = true;
    this.#put(event('gap', {}));
  }

  events(): ReadableStream<Uint8Array> {
    const beat = setInterval(() => this.#beat(), HEARTBEAT_MILLIS);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          while (this.#queue.length === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve));
          if (this.#queue.length > 0) return controller.enqueue(this.#taken());
          clearInterval(beat);
          controller.close();
        },
        cancel: async () => {
          clearInterval(beat);
          await this.#close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  #take(message: Message): void {
    if (this.#last === undefined) return this.#tell(message);
    if (message.packetIdentifier === this.#last) {
      this.#last = undefined;
      for (const early of this.#early.splice(0)) early.ack();
      // It stays, too, for a reader that goes again before it has heard more.
      return this.#keep(message);
    }
    this.#early.push(message);
    if (!message.dup && message.packetIdentifier !== undefined) this.#miss();
    else this.#waitForLast();
  }

  /** What comes again comes at once, the oldest first, though large messages may take their time. */
  #waitForLast(): void {
    clearTimeout(this.#quiet ?? null);
    if (this.#last !== undefined) this.#quiet = setTimeout(() => this.#last !== undefined && this.#miss(), QUIET_MILLIS);
  }

  /** The room has let go of the last message that the reader has. */
  #miss(): void {
    this.#last = undefined;
    this.tellGap();
    for (const message of this.#early.splice(0)) this.#tell(message);
  }

  #tell(message: Message): void {
    const { packetIdentifier } = message;
    const isFull = this.#queue.length >= MOST_WAITING || this.#queuedBytes >= MOST_BYTES / 2;
    if (packetIdentifier === undefined && isFull) {
      if (!this.#hasGap) this.tellGap();
      return;
    }
    const id = packetIdentifier === undefined ? undefined : idOf({ clientId: this.#clientId, packetIdentifier });
    this.#put(event('message', toJson(message), id), message);
    // The stream ends with what waits already: the reader comes back, and the room has all that it did not get.
    if (this.#queuedBytes > MOST_BYTES) void this.#leaveRoom();
  }

  #put(bytes: Uint8Array, message?: Message): void {
    if (this.#isOver) return;
    this.#queue.push({ bytes, ...(message && { message }) });
    this.#queuedBytes += bytes.byteLength;
    this.#wake();
  }

  /** What the reader gets next. */
  #taken(): Uint8Array {
    let count = 0;
    let length = 0;
    for (const { bytes } of this.#queue) {
      if (count > 0 && length + bytes.byteLength > PIECE) break;
      length += bytes.byteLength;
      count += 1;
    }
    const piece = new Uint8Array(length);
    let end = 0;
    for (const { bytes, message } of this.#queue.splice(0, count)) {
      piece.set(bytes, end);
      end += bytes.byteLength;
      if (message?.packetIdentifier !== undefined) this.#keep(message);
    }
    this.#queuedBytes -= length;
    this.#hasGap &&= this.#queue.length > 0;
    this.#takenAt = Date.now();
    return piece;
  }

  #keep(message: Message): void {
    this.#kept.push(message);
    this.#keptBytes += message.payload.byteLength;
    while (this.#kept.length > this.#options.maximumInFlight / 2 || this.#keptBytes > MOST_KEPT_BYTES) {
      const oldest = this.#kept.shift();
      this.#keptBytes -= oldest?.payload.byteLength ?? 0;
      oldest?.ack();
    }
  }

  #beat(): void {
    if (this.#queue.length === 0) this.#put(HEARTBEAT);
    else if (Date.now() - this.#takenAt >= PATIENCE_MILLIS) void this.#close();
  }

  async #close(): Promise<void> {
    this.#queue = [];
    await this.#leaveRoom();
  }

  /** Leaves the session to who comes back. */
  async #leaveRoom(): Promise<void> {
    this.#end();
    await this.#client?.end({ sessionExpiryInterval: this.#options.qos === 0 ? 0 : SESSION_EXPIRY_SECONDS });
  }

  #end(): void {
    this.#isOver = true;
    this.#wake();
  }
}

/** How long a session waits for its reader. */
const SESSION_EXPIRY_SECONDS = 120;

/** Events of QoS 0 that wait for a slow reader; more are dropped, and a gap is told. */
const MOST_WAITING = 1_000;

/** Bytes that wait for a slow reader. */
const MOST_BYTES = 4 << 20;

/** Bytes of the messages that a reader may ask for again. */
const MOST_KEPT_BYTES = 1 << 20;

/** Bytes that are handed over at a time. */
const PIECE = 65_536;

/** Milliseconds after which nothing more is expected to come again. */
const QUIET_MILLIS = 1_000;

/** Milliseconds that a reader may take nothing. */
const PATIENCE_MILLIS = 60_000;

/** A Reason Code: the session is somebody else's. */
const CLIENT_IDENTIFIER_NOT_VALID = 0x85;
