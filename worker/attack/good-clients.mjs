// The well-behaved clients, in a process of their own: pairs of a publisher and a subscriber, and how long each message takes from
// one to the other. Does what run.mjs sends it.

import { setTimeout as sleep } from 'node:timers/promises';
import { connect, puback, publish, Splitter, subscribe } from './packets.mjs';
import { openWebSocket } from './web-socket.mjs';

/** Bytes of each payload. */
const PAYLOAD = 64;
/** QoS 1 messages that a publisher may have unacknowledged: within the Receive Maximum of the server. */
const MOST_UNACKNOWLEDGED = 200;

class Pair {
  /** Of all that was published, ever. */
  sent = 0;
  received = 0;
  duplicated = 0;
  /** How often the server or the network closed one of the two. */
  closed = 0;
  unacknowledged = 0;
  #last = 0;

  constructor(number, { port, path, credentials }, heard) {
    this.qos = number % 2;
    this.topic = `pairs/${number}`;
    this.#open = async (role, hear) => {
      const splitter = new Splitter(hear);
      const client = await openWebSocket(port, path, {
        headers: { 'CF-Connecting-IP': `10.1.${number >> 8}.${number & 255}` },
        received: (bytes) => splitter.push(bytes),
        closed: (wasOpen) => (this.closed += wasOpen ? 1 : 0),
      });
      client.send(connect(`${role}-${number}`, credentials));
      return client;
    };
    this.#heard = heard;
  }

  #open;
  #heard;

  /** Resolves when both are connected and the subscriber is subscribed. */
  async connect() {
    let subscribed;
    const ready = new Promise((resolve) => (subscribed = resolve));
    this.subscriber = await this.#open('subscriber', (first, content) => {
      if (first >> 4 === 9) subscribed();
      else if (first >> 4 === 3) this.#receive(first, content);
    });
    this.subscriber.send(subscribe(this.topic, this.qos));
    await ready;
    let connected;
    const accepted = new Promise((resolve) => (connected = resolve));
    this.publisher = await this.#open('publisher', (first) => {
      if (first >> 4 === 2) connected();
      else if (first >> 4 === 4) this.unacknowledged -= 1;
    });
    await accepted;
  }

  /** Publishes one message; false when too many wait for their PUBACK. */
  publish() {
    if (this.unacknowledged >= MOST_UNACKNOWLEDGED) return false;
    this.sent += 1;
    const payload = Buffer.alloc(PAYLOAD);
    payload.writeUInt32BE(this.sent, 0);
    payload.writeDoubleBE(performance.now(), 4);
    if (this.qos) this.unacknowledged += 1;
    this.publisher.send(publish(this.topic, payload, { qos: this.qos, id: (this.sent % 65_535) + 1 }));
    return true;
  }

  #receive(first, content) {
    const begin = 2 + content.readUInt16BE(0);
    const qos = (first >> 1) & 3;
    if (qos) this.subscriber.send(puback(content.readUInt16BE(begin)));
    // behind the topic, the Packet Identifier and no properties
    const payload = content.subarray(begin + (qos ? 2 : 0) + 1);
    const number = payload.readUInt32BE(0);
    if (number <= this.#last) this.duplicated += 1;
    else {
      this.#last = number;
      this.received += 1;
      this.#heard(performance.now() - payload.readDoubleBE(4));
    }
  }
}

let pairs = [];
let latencies = [];
/** All latencies that were measured under one name. */
const pools = {};

const orders = {
  async connect({ pairs: count, ...where }) {
    pairs = Array.from({ length: count }, (_, number) => new Pair(number, where, (latency) => latencies.push(latency)));
    for (let begin = 0; begin < count; begin += 20) {
      await Promise.all(pairs.slice(begin, begin + 20).map((pair) => pair.connect()));
    }
  },

  /** Publishes `rate` messages a second in all, the first `publishers` in turn, and measures. */
  async measure({ name, seconds, rate, publishers = pairs.length }) {
    const before = ['sent', 'received', 'duplicated', 'closed'].map((what) => total(what));
    const lostBefore = lost(0) + lost(1);
    const lostBefore1 = lost(1);
    latencies = [];
    const lateness = [];
    const cpu = process.cpuUsage();
    const begin = performance.now();
    let held = 0;
    for (let number = 0, now = begin; now < begin + seconds * 1000; now = performance.now()) {
      for (; begin + (number * 1000) / rate <= now; number += 1) {
        lateness.push(performance.now() - begin - (number * 1000) / rate);
        if (!pairs[number % publishers].publish()) held += 1;
      }
      await sleep(1);
    }
    const elapsed = performance.now() - begin;
    const { user, system } = process.cpuUsage(cpu);
    await quiet();
    if (name) pools[name] = (pools[name] ?? []).concat(latencies);
    const [sent, received, duplicated, closed] = ['sent', 'received', 'duplicated', 'closed'].map((what, at) => total(what) - before[at]);
    return {
      sent, received, duplicated, closed, held,
      lost: lost(0) + lost(1) - lostBefore,
      lost1: lost(1) - lostBefore1,
      p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), worst: quantile(latencies, 1),
      late99: quantile(lateness, 0.99),
      cpu: (user + system) / 1000 / elapsed,
    };
  },

  /** The p99 of all messages that were measured under each name. */
  async pooled() {
    return Object.fromEntries(Object.entries(pools).map(([name, values]) => [name, quantile(values, 0.99)]));
  },
};

/** Resolves when all has come, or nothing does any more. */
async function quiet() {
  for (let heard = -1, still = 0; still < 20; ) {
    const now = total('received');
    if (lost(0) + lost(1) === 0 && now === heard) return;
    still = now === heard ? still + 1 : 0;
    heard = now;
    await sleep(100);
  }
}

const total = (what) => pairs.reduce((sum, pair) => sum + pair[what], 0);

const lost = (qos) => pairs.reduce((sum, pair) => sum + (pair.qos === qos ? pair.sent - pair.received : 0), 0);

function quantile(values, part) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

process.on('message', async ({ order, ...parameters }) => {
  try {
    process.send({ result: (await orders[order](parameters)) ?? {} });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
process.on('disconnect', () => process.exit());
