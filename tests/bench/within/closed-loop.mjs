// A load within one program: raw bytes in at the publishers' connections, raw bytes out at the subscribers'. Each publisher gives 64
// packets, and the next 64 when all that these caused has come, so that no more is ever on its way.
// Runs in Node and in pages alike; knows no broker, only `connect(hear, whole)`, which gives a function that sends.

import { CONNACK, connect as connectPacket, joined, Packets, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, publish, SUBACK, subscribe } from './packets.mjs';

/**
 * Runs for `seconds` after `warmUp` of that, with `chunk` packets in each piece. Subscriber i hears publisher i modulo their number.
 * Resolves with the deliveries a second, `rate`, once it is known that every subscriber got all that was published for it, and with
 * all `deliveries` there were.
 */
export async function run(connect, { publishers = 1, subscribers = 1, qos, bytes, chunk, seconds, warmUp = 0.5 }) {
  const round = new Round();
  const peers = [];
  for (let index = 0; index < subscribers; index += 1) {
    const peer = new Subscriber(round, qos);
    peers.push(peer);
    await peer.open(connect, `s${index}`);
    await peer.subscribe(topic(index % publishers));
  }
  const sources = [];
  for (let index = 0; index < publishers; index += 1) {
    const peer = new Publisher(round, qos, pieces(topic(index), qos, bytes, chunk));
    sources.push(peer);
    await peer.open(connect, `p${index}`);
  }
  const size = publish(topic(0), qos, 1, bytes).length;
  if (topic(0).length !== topic(publishers - 1).length) throw new Error('Topics must be of one length.');
  const deliveries = WINDOW * subscribers;
  const due = qos > 0 ? deliveries + WINDOW * publishers : deliveries * size;
  const warm = await loop(round, sources, due, seconds * warmUp * 1_000);
  const heard = peers.map((peer) => peer.heard);
  const { rounds, milliseconds } = await loop(round, sources, due, seconds * 1_000);
  const each = rounds * WINDOW * (qos > 0 ? 1 : size);
  for (const [index, peer] of peers.entries()) {
    const came = peer.heard - heard[index];
    if (came !== each) throw new Error(`Subscriber ${index} heard ${came} instead of ${each}.`);
  }
  return { rate: (rounds * deliveries * 1_000) / milliseconds, deliveries: (warm.rounds + rounds) * deliveries };
}

/** Connections `first` to `last` that say nothing after their CONNECT. */
export async function idle(connect, first, last) {
  const round = new Round();
  const peers = [];
  for (let index = first; index <= last; index += 1) {
    const peer = new Subscriber(round, 0);
    peers.push(peer);
    await peer.open(connect, `idle${index}`);
  }
  return peers;
}

/** Rounds for so many milliseconds: in each the sources publish, and then as much comes as is due. */
export async function loop(round, sources, due, milliseconds) {
  const began = performance.now();
  const stopWatching = round.watch();
  let rounds = 0;
  for (;;) {
    round.begin(due);
    for (const source of sources) source.publish();
    if (!round.isOver) await round.end();
    rounds += 1;
    const passed = performance.now() - began;
    if (passed < milliseconds) continue;
    stopWatching();
    return { rounds, milliseconds: passed };
  }
}

/** What is still to come before the next chunks are given. */
export class Round {
  #missing = 0;
  #number = 0;
  #over = () => {};
  #failed = () => {};

  begin(due) {
    this.#missing = due;
    this.#number += 1;
  }

  get isOver() {
    return this.#missing === 0;
  }

  end() {
    return new Promise((resolve, reject) => {
      this.#over = resolve;
      this.#failed = reject;
    });
  }

  came(amount) {
    this.#missing -= amount;
    if (this.#missing > 0) return;
    if (this.#missing < 0) throw new Error(`${-this.#missing} more than expected came.`);
    this.#over();
  }

  /** Fails the round that takes too long: something was lost. */
  watch() {
    let last = 0;
    const watching = setInterval(() => {
      if (this.#number === last) this.#failed(new Error(`${this.#missing} did not come.`));
      last = this.#number;
    }, PATIENCE);
    return () => clearInterval(watching);
  }
}

/** One end of a connection. */
class Peer {
  round;
  qos;
  send = () => {};
  #hear = () => {};

  constructor(round, qos) {
    this.round = round;
    this.qos = qos;
  }

  async open(connect, clientId) {
    this.send = await connect((bytes) => this.#hear(bytes), this.qos > 0);
    await this.#ask(connectPacket(clientId), CONNACK);
  }

  async subscribe(filter) {
    await this.#ask(subscribe(filter, this.qos), SUBACK);
    if (this.qos === 0) return this.hearing((bytes) => this.hear(bytes));
    const packets = new Packets((type, id) => this.take(type, id));
    this.hearing((bytes) => this.hearPackets(packets, bytes));
  }

  hearing(hear) {
    this.#hear = hear;
  }

  /** One chunk of answers for each that comes. */
  hearPackets(packets, bytes) {
    packets.push(bytes);
    if (filled === 0) return;
    const answer = answers.slice(0, filled);
    filled = 0;
    this.send(answer);
  }

  #ask(packet, answer) {
    return new Promise((resolve) => {
      const packets = new Packets((type) => type === answer && resolve());
      this.hearing((bytes) => packets.push(bytes));
      this.send(packet);
    });
  }
}

class Subscriber extends Peer {
  /** Bytes at QoS 0, messages beyond it. */
  heard = 0;

  hear(bytes) {
    this.heard += bytes.length;
    this.round.came(bytes.length);
  }

  take(type, id) {
    if (type === PUBLISH) {
      answer(this.qos === 1 ? PUBACK : PUBREC, id);
      if (this.qos === 2) return;
    } else {
      answer(PUBCOMP, id);
    }
    this.heard += 1;
    this.round.came(1);
  }
}

class Publisher extends Peer {
  #pieces;

  constructor(round, qos, pieces) {
    super(round, qos);
    this.#pieces = pieces;
  }

  async open(connect, clientId) {
    await super.open(connect, clientId);
    const packets = new Packets((type, id) => this.take(type, id));
    this.hearing((bytes) => this.hearPackets(packets, bytes));
  }

  publish() {
    for (const piece of this.#pieces) this.send(piece);
  }

  take(type, id) {
    if (type === PUBREC) answer(PUBREL, id);
    else this.round.came(1);
  }
}

const answers = new Uint8Array(1 << 20);
let filled = 0;

function answer(type, id) {
  answers[filled] = (type << 4) | (type === PUBREL ? 0b10 : 0);
  answers[filled + 1] = 2;
  answers[filled + 2] = id >> 8;
  answers[filled + 3] = id & 0xff;
  filled += 4;
}

/** A window full of packets, `chunk` of them in each piece. */
export function pieces(topic, qos, bytes, chunk) {
  const packets = Array.from({ length: WINDOW }, (_, index) => publish(topic, qos, index + 1, bytes));
  return Array.from({ length: WINDOW / chunk }, (_, index) => joined(packets.slice(index * chunk, (index + 1) * chunk)));
}

function topic(index) {
  return `bench/${String(index).padStart(3, '0')}`;
}

/** Packets. */
export const WINDOW = 64;

/** Milliseconds. */
const PATIENCE = 5_000;
