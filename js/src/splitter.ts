// Where the packets in a stream of bytes end. Knows of MQTT the Fixed Header alone.

/** Takes a packet's bytes, or the first of them, and how many it has. */
export type Take = (bytes: Uint8Array<ArrayBuffer>, length: number) => void;

/** Splits one direction of a connection into packets, however it was cut. Keeps one packet at a time, up to a limit. */
export class Splitter {
  readonly #most: number;
  /** The Fixed Header, until it is whole. */
  #header: number[] = [];
  /** What was kept of the packet, unless nobody wanted it when it began. */
  #packet: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  /** How much of it has come. */
  #done = 0;
  #isWanted = false;
  #isBroken = false;

  /** `most`: bytes to keep of a packet. */
  constructor(most = MOST) {
    this.#most = most;
  }

  /** `take` is called with each packet that ends in these bytes; without it they are only counted. */
  split(bytes: Uint8Array, take?: Take): void {
    for (let at = 0; at < bytes.length && !this.#isBroken; ) {
      if (!take && this.#length === 0 && this.#header.length === 0) at = skip(bytes, at);
      if (at === bytes.length) return;
      if (this.#length === 0) {
        if (this.#header.length === 0) this.#isWanted = take !== undefined;
        this.#begin(bytes[at] as number);
        at += 1;
      } else {
        const part = bytes.subarray(at, at + this.#length - this.#done);
        this.#packet?.set(part.subarray(0, Math.max(0, this.#packet.length - this.#done)), Math.min(this.#done, this.#packet.length));
        this.#done += part.length;
        at += part.length;
      }
      if (this.#isBroken || (this.#length > 0 && this.#done === this.#length)) this.#end(take);
    }
  }

  /** One more byte of a Fixed Header. */
  #begin(byte: number): void {
    const header = this.#header;
    header.push(byte);
    if (header.length === 1) return;
    if (byte < 0x80) {
      const rest = header.slice(1).reduce((sum, digit, index) => sum + (digit & 0x7f) * 128 ** index, 0);
      this.#done = header.length;
      this.#length = header.length + rest;
    } else if (header.length === LONGEST_HEADER) {
      // [MQTT-1.5.5-1] nobody can tell where the next packet begins
      this.#isBroken = true;
      this.#length = header.length;
    } else {
      return;
    }
    if (!this.#isWanted) return;
    this.#packet = new Uint8Array(Math.min(this.#length, this.#most));
    this.#packet.set(header.slice(0, this.#most));
  }

  #end(take: Take | undefined): void {
    const [packet, length] = [this.#packet, this.#length];
    this.#packet = undefined;
    this.#header = [];
    this.#length = this.#done = 0;
    if (packet) take?.(packet, length);
  }
}

/** Where the first packet from there on begins that does not end in these bytes. */
function skip(bytes: Uint8Array, from: number): number {
  for (let begin = from; ; ) {
    let [at, rest, scale] = [begin + 1, 0, 1];
    for (; ; scale *= 128) {
      const byte = bytes[at] ?? 0x80;
      rest += (byte & 0x7f) * scale;
      at += 1;
      if (byte < 0x80) break;
      if (at - begin === LONGEST_HEADER) return begin;
    }
    if (at + rest > bytes.length) return begin;
    begin = at + rest;
  }
}

/** Bytes that are kept of a packet, unless somebody says otherwise. */
const MOST = 1 << 20;

const LONGEST_HEADER = 5;
