// What chance decides, the same for the same seed, and connections that it cuts.

/** Numbers from 0 to less than 1, and choices by them. */
export class Chance {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  number() {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /** Whether something happens that happens in this part of all cases. */
  happens(part) {
    return this.number() < part;
  }

  below(limit) {
    return Math.floor(this.number() * limit);
  }

  pick(choices) {
    return choices[this.below(choices.length)];
  }
}

/** A connection to a broker. What is sent comes in pieces, and in `cutRate` of all cases only a part of it before the end. */
export class CutLine {
  /** The client's end. */
  transport = this.#end(() => this.#broker);
  isCut = false;
  #broker = this.#end(() => this.transport);
  #chance;
  #cutRate;

  constructor(broker, chance, cutRate) {
    this.#chance = chance;
    this.#cutRate = cutRate;
    broker.accept(this.#broker);
  }

  /** The connection is lost. */
  cut() {
    if (this.isCut) return;
    this.isCut = true;
    this.#broker.onclose?.();
    this.transport.onclose?.();
  }

  #end(other) {
    const end = {
      onmessage: null,
      onclose: null,
      send: (bytes) => {
        if (this.isCut) return queueMicrotask(() => end.onclose?.());
        for (const piece of this.#pieces(bytes)) queueMicrotask(() => this.#pass(piece, other()));
      },
      // What was sent before arrives.
      close: () => queueMicrotask(() => {
        if (this.isCut) return;
        this.isCut = true;
        other().onclose?.();
      }),
    };
    return end;
  }

  #pieces(bytes) {
    const isCut = this.#chance.happens(this.#cutRate);
    const at = this.#chance.below(bytes.length + 1);
    return [bytes.slice(0, at), isCut ? CUT : bytes.slice(at)].filter((piece) => piece.length > 0 || piece === CUT);
  }

  #pass(piece, to) {
    if (this.isCut) return;
    if (piece === CUT) this.cut();
    else to.onmessage?.({ data: piece });
  }
}

const CUT = new Uint8Array();
