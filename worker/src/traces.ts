// Packets of clients that somebody looks at, as lines of JSON. Nobody who is slow makes the room hold more.

import { type Broker, MqttError, type TracedPacket as Packet } from 'mqlite/broker';

/** A packet that a client has sent or received. Never a payload, a password or Authentication Data. */
export type TracedPacket = Omit<Packet, 'connection' | 'clientId'> & {
  /** Milliseconds since 1970. */
  readonly time: number;
};

/** What is looked at in one room. */
export class Traces {
  readonly #broker: () => Broker;
  readonly #traces = new Set<Trace>();

  constructor(broker: () => Broker) {
    this.#broker = broker;
  }

  /**
   * Looks at a client for so many seconds.
   * @throws RangeError, or MqttError `queue-full`, `closed`, or `invalid-options` for what is no Client Identifier.
   */
  async begin(clientId: string, seconds: number): Promise<ReadableStream<Uint8Array>> {
    if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_SECONDS)) {
      throw new RangeError(`A trace takes a whole number of seconds from 1 to ${MOST_SECONDS}.`);
    }
    if (this.#traces.size >= MOST_TRACES) {
      throw new MqttError('queue-full', `${MOST_TRACES} traces are under way in this room.`, { hint: 'Try later.' });
    }
    const until = Date.now() + seconds * 1_000;
    const trace = new Trace(clientId, until, () => this.#end(trace));
    this.#traces.add(trace);
    try {
      await this.#broker().trace(clientId, { until: this.#until(clientId) });
    } catch (error) {
      trace.end();
      throw error;
    }
    return trace.lines;
  }

  /** What the broker has told. */
  tell({ connection: _, clientId, ...packet }: Packet): void {
    for (const trace of this.#traces) if (trace.clientId === clientId) trace.tell({ time: Date.now(), ...packet });
  }

  #end(trace: Trace): void {
    this.#traces.delete(trace);
    // A broker that is closed watches nobody.
    this.#broker().trace(trace.clientId, { until: this.#until(trace.clientId) }).catch(() => {});
  }

  /** When nobody looks any more. */
  #until(clientId: string): number {
    return Math.max(0, ...[...this.#traces].filter((trace) => trace.clientId === clientId).map(({ until }) => until));
  }
}

class Trace {
  readonly clientId: string;
  readonly until: number;
  readonly lines: ReadableStream<Uint8Array>;
  readonly #ended: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #controller!: ReadableByteStreamController;
  #dropped = 0;

  constructor(clientId: string, until: number, ended: () => void) {
    this.clientId = clientId;
    this.until = until;
    this.#ended = ended;
    const start = (controller: ReadableByteStreamController) => void (this.#controller = controller);
    const cancel = () => this.end();
    // A call hands over streams of bytes alone.
    this.lines = new ReadableStream({ type: 'bytes', start, cancel }, { highWaterMark: MOST_BYTES });
    this.#timer = setTimeout(() => {
      this.end();
      this.#controller.close();
    }, until - Date.now());
  }

  tell(packet: TracedPacket): void {
    if ((this.#controller.desiredSize ?? 0) <= 0) return void (this.#dropped += 1);
    if (this.#dropped > 0) this.#write({ dropped: this.#dropped });
    this.#dropped = 0;
    this.#write(packet);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#ended();
  }

  #write(line: object): void {
    this.#controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
  }
}

const encoder = new TextEncoder();

/** Bytes that wait for a slow reader. */
const MOST_BYTES = 262_144;

const MOST_TRACES = 16;

const MOST_SECONDS = 600;
