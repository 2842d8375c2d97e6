// Where packets end in a stream of bytes, however it was cut. Knows of MQTT the Fixed Header alone.

/** What a splitter finds, in the order of the stream. */
export type Piece =
  /** A whole packet. */
  | { readonly kind: 'packet'; readonly bytes: Uint8Array }
  /** Bytes of a packet that is longer than what is held back: they may go on as they are. */
  | { readonly kind: 'part'; readonly bytes: Uint8Array }
  /** Such a packet has ended: its first bytes, and how many it had. */
  | { readonly kind: 'long'; readonly bytes: Uint8Array; readonly length: number }
  /** These are no packets of MQTT, and neither is what follows. */
  | { readonly kind: 'garbage'; readonly bytes: Uint8Array };

/** One direction of a connection. */
export class PacketSplitter {
  readonly #mostHeld: number;
  readonly #mostKept: number;
  /** Of a Fixed Header that is not whole yet, at most four bytes. */
  #header: Uint8Array = EMPTY;
  /** A packet that is held until it is whole, and how much of it has come. */
  #held: { bytes: Uint8Array; done: number } | undefined;
  /** Of a long packet: its first bytes, how many have come, and how many it has. */
  #long: { head: Uint8Array; done: number; length: number } | undefined;
  #isGarbage = false;

  /**
   * @param mostHeld Bytes of a packet that is held until it is whole; a longer one comes in parts.
   * @param mostKept Bytes of a longer one that are kept.
   */
  constructor(mostHeld: number, mostKept: number) {
    this.#mostHeld = mostHeld;
    this.#mostKept = Math.min(mostKept, mostHeld);
  }

  /** Whether a packet has begun and not ended. */
  get isWithin(): boolean {
    return this.#header.length > 0 || this.#held !== undefined || this.#long !== undefined;
  }

  split(chunk: Uint8Array, take: (piece: Piece) => void): void {
    if (this.#isGarbage) return take({ kind: 'garbage', bytes: chunk });
    let bytes = chunk;
    if (this.#long) bytes = this.#goOn(bytes, take);
    if (this.#held) bytes = this.#fill(bytes, take);
    if (this.#header.length > 0) {
      bytes = joined(this.#header, bytes);
      this.#header = EMPTY;
    }
    let at = 0;
    while (at < bytes.length) {
      const length = packetLength(bytes, at);
      if (length === 'never') {
        this.#isGarbage = true;
        return take({ kind: 'garbage', bytes: bytes.subarray(at) });
      }
      if (length === undefined) {
        this.#header = bytes.slice(at);
        return;
      }
      if (at + length > bytes.length) return this.#begin(bytes.subarray(at), length, take);
      take({ kind: 'packet', bytes: bytes.subarray(at, at + length) });
      at += length;
    }
  }

  /** A packet of this length, of which these are the first bytes. */
  #begin(part: Uint8Array, length: number, take: (piece: Piece) => void): void {
    if (length <= this.#mostHeld) {
      this.#held = { bytes: new Uint8Array(length), done: part.length };
      this.#held.bytes.set(part);
    } else {
      take({ kind: 'part', bytes: part });
      this.#long = { head: part.slice(0, this.#mostKept), done: part.length, length };
    }
  }

  /** Takes what belongs to the packet that is held; the rest is what follows it. */
  #fill(bytes: Uint8Array, take: (piece: Piece) => void): Uint8Array {
    const held = this.#held!;
    const part = bytes.subarray(0, held.bytes.length - held.done);
    held.bytes.set(part, held.done);
    held.done += part.length;
    if (held.done === held.bytes.length) {
      this.#held = undefined;
      take({ kind: 'packet', bytes: held.bytes });
    }
    return bytes.subarray(part.length);
  }

  /** Takes what belongs to the long packet; the rest is what follows it. */
  #goOn(bytes: Uint8Array, take: (piece: Piece) => void): Uint8Array {
    const long = this.#long!;
    const part = bytes.subarray(0, long.length - long.done);
    take({ kind: 'part', bytes: part });
    if (long.head.length < this.#mostKept) long.head = joined(long.head, part.subarray(0, this.#mostKept - long.head.length));
    long.done += part.length;
    if (long.done === long.length) {
      this.#long = undefined;
      take({ kind: 'long', bytes: long.head, length: long.length });
    }
    return bytes.subarray(part.length);
  }
}

/** The length of the packet at this place; `undefined` while its header is not whole, `never` if it cannot be one. */
function packetLength(bytes: Uint8Array, at = 0): number | 'never' | undefined {
  let rest = 0;
  for (let place = 0; place < 4; place += 1) {
    const byte = bytes[at + 1 + place];
    if (byte === undefined) return undefined;
    rest += (byte & 0x7f) * 128 ** place;
    if (byte < 0x80) return 2 + place + rest;
  }
  return 'never';
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}

const EMPTY = new Uint8Array();
