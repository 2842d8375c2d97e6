// A load for a client library: what comes to it and what it sends, over a connection at whose far end a few lines answer for a broker.

import { loop, pieces, Round, WINDOW } from './closed-loop.mjs';
import { CONNECT, connack, Packets, PUBACK, PUBLISH, publish, SUBSCRIBE, suback } from './packets.mjs';

/** `run(connect, task)` for each direction: resolves with the messages a second, `rate`, and all `messages` there were. */
export const directions = { in: messagesIn, out: messagesOut };

/**
 * 64 PUBLISH packets are given to the client, `chunk` of them in each piece, and the next 64 when its handler was called for all
 * and, at QoS 1, all are acknowledged.
 */
async function messagesIn(connect, { qos, bytes, chunk, ...time }) {
  const round = new Round();
  const far = new FarEnd(qos, (type) => type === PUBACK && round.came(1));
  const client = await connect(far);
  await client.subscribe(TOPIC, qos, (topic, payload) => {
    if (topic !== TOPIC || payload.length !== bytes) throw new Error(`${payload.length} bytes came to ${topic}.`);
    round.came(1);
  });
  const given = pieces(TOPIC, qos, bytes, chunk).map((piece) => Buffer.from(piece));
  const publishAll = () => {
    for (const piece of given) far.give(piece);
  };
  return timed(round, publishAll, WINDOW * (qos > 0 ? 2 : 1), time);
}

/**
 * 64 messages are published, all at once or, where `chunk` is 1, each when the one before is done. The next 64 follow when the
 * bytes of all have come out, and the library has said that all are done; at QoS 1 they are acknowledged before.
 */
async function messagesOut(connect, { qos, bytes, chunk, ...time }) {
  const round = new Round();
  const far = new FarEnd(qos, (type, id) => type === PUBLISH && far.answer([0x40, 2, id >> 8, id & 0xff]));
  const client = await connect(far);
  let heard = 0;
  far.count((amount) => {
    heard += amount;
    round.came(amount);
  }, qos > 0);
  const payload = Uint8Array.from({ length: bytes }, (_, index) => index & 0xff);
  const size = publish(TOPIC, qos, 1, bytes).length;
  let published = 0;
  const publishOne = () => {
    published += 1;
    client.publish(TOPIC, payload, qos, done);
  };
  const done = () => {
    round.came(1);
    if (chunk === 1 && published < WINDOW) publishOne();
  };
  const publishAll = () => {
    published = 0;
    while (published < chunk) publishOne();
  };
  const timing = await timed(round, publishAll, WINDOW * (1 + size), time);
  const due = timing.messages * size;
  if (heard !== due) throw new Error(`${heard} bytes came out instead of ${due}.`);
  return timing;
}

async function timed(round, publishAll, due, { seconds, warmUp = 0.5 }) {
  const sources = [{ publish: publishAll }];
  const warm = await loop(round, sources, due, seconds * warmUp * 1_000);
  const { rounds, milliseconds } = await loop(round, sources, due, seconds * 1_000);
  return { rate: (rounds * WINDOW * 1_000) / milliseconds, messages: (warm.rounds + rounds) * WINDOW };
}

/** What a client takes for a broker. It answers what came in a turn with one piece in the next. */
class FarEnd {
  /** Set by the client's side: gives it bytes. */
  give = () => {};
  #hear;
  #answers = new Uint8Array(1 << 16);
  #filled = 0;

  /** `take(type, identifier)` hears of what follows CONNECT and SUBSCRIBE. */
  constructor(qos, take) {
    const packets = new Packets((type, id) => {
      if (type === CONNECT) this.answer(connack());
      else if (type === SUBSCRIBE) this.answer(suback(id, qos));
      else take(type, id);
    });
    this.#hear = (bytes) => packets.push(bytes);
  }

  hear(bytes) {
    this.#hear(bytes);
  }

  /** `came` hears how many bytes come from now on. They are looked at only where something is to be answered. */
  count(came, answers) {
    const look = answers ? this.#hear : () => {};
    this.#hear = (bytes) => {
      look(bytes);
      came(bytes.length);
    };
  }

  answer(packet) {
    if (this.#filled === 0) setImmediate(() => this.#give());
    for (let index = 0; index < packet.length; index += 1) this.#answers[this.#filled++] = packet[index];
  }

  #give() {
    const answers = Buffer.from(this.#answers.subarray(0, this.#filled));
    this.#filled = 0;
    this.give(answers);
  }
}

const TOPIC = 'bench/000';
