// A stream within a program. Its pieces of packets are not joined unless somebody has to look at them: that is faster.

import { Duplex } from 'node:stream';

/** `hear` gets what is written; `push` gives what is to be read. `whole` asks for what is written in one turn in one piece. */
export class Line extends Duplex {
  #hear;
  #whole;

  constructor(hear, whole) {
    super({ highWaterMark: 1 << 20 });
    this.#hear = hear;
    this.#whole = whole;
  }

  _read() {}

  _write(chunk, _encoding, done) {
    this.#hear(chunk);
    done();
  }

  _writev(chunks, done) {
    if (this.#whole) this.#hear(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    else for (const { chunk } of chunks) this.#hear(chunk);
    done();
  }
}
