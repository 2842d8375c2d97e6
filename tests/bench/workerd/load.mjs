// The load, a process of its own: does what its argument says, in JSON, and writes what it measured, in JSON. Each kind of load is
// the same for a room and for the object that it is measured beside, but for the packets around the payloads.

import { setTimeout as sleep } from 'node:timers/promises';
import { connect, puback, publish, subscribe } from './packets.mjs';
import { frame, openWebSocket } from './web-socket.mjs';

/** Sends to itself what the server gives back to it, `window` messages at a time. */
class Loop {
  received = 0;
  sent = 0;
  #acknowledged = 0;
  #isOpen = promised();

  constructor(number, options) {
    Object.assign(this, { number, ...options });
    const topic = `loop/${number}`;
    this.topic = topic;
    const body = Buffer.alloc(this.payload, 0x2e);
    // A Packet Identifier is free again when the message of as long ago has been acknowledged.
    this.packets = Array.from({ length: this.window }, (_, index) => (this.isMqtt ? publish(topic, body, this.qos, index + 1) : body));
  }

  async open() {
    const { port, path, number, qos, expiry } = this;
    this.socket = await openWebSocket(port, path, (bytes, begin, end) => this.#heard(bytes, begin, end));
    if (!this.isMqtt) return;
    this.socket.write(frame(Buffer.concat([connect(`loop-${number}`, expiry), subscribe(this.topic, qos)])));
    await this.#isOpen.promise;
  }

  /** How many messages are through: back here and, at QoS 1, acknowledged. */
  get done() {
    return this.isMqtt && this.qos > 0 ? Math.min(this.received, this.#acknowledged) : this.received;
  }

  /** Sends as many as may be under way, and `before` them. */
  go(before = []) {
    const parts = before;
    for (; this.isGoing && this.sent - this.done < this.window; this.sent += 1) parts.push(this.packets[this.sent % this.window]);
    if (parts.length === 0) return;
    this.socket.write(this.isJoined && parts.length > 1 ? frame(Buffer.concat(parts)) : Buffer.concat(parts.map(frame)));
  }

  #heard(bytes, begin, end) {
    const acknowledgements = [];
    if (!this.isMqtt) this.received += 1;
    // The server sends no packet in pieces.
    else {
      for (let at = begin; at < end; ) {
        const type = bytes[at] >> 4;
        const isShort = bytes[at + 1] < 0x80;
        const from = at + (isShort ? 2 : 3);
        const length = isShort ? bytes[at + 1] : (bytes[at + 1] & 0x7f) | (bytes[at + 2] << 7);
        if (type === 3) {
          this.received += 1;
          if (this.qos > 0) acknowledgements.push(puback(bytes.readUInt16BE(from + 2 + bytes.readUInt16BE(from))));
        } else if (type === 4) this.#acknowledged += 1;
        else if (type === 9) this.#isOpen.resolve();
        at = from + length;
      }
    }
    this.turn(this, acknowledgements);
  }
}

/** Every loop at once, for some seconds: what is through in a second. */
async function loops(options) {
  const { connections, seconds } = options;
  const waiting = new Map();
  // What came in one read is answered with one write.
  const turn = (loop, acknowledgements) => {
    const known = waiting.get(loop);
    if (known) return void known.push(...acknowledgements);
    if (waiting.size === 0) setImmediate(flush);
    waiting.set(loop, acknowledgements);
  };
  const flush = () => {
    for (const [loop, acknowledgements] of waiting) loop.go(acknowledgements);
    waiting.clear();
  };
  const all = Array.from({ length: connections }, (_, number) => new Loop(number, { ...options, turn }));
  for (const loop of all) await loop.open();
  const total = (what) => all.reduce((sum, loop) => sum + loop[what], 0);
  for (const loop of all) loop.isGoing = true;
  for (const loop of all) loop.go();
  const measured = await measure(() => total('done'), seconds);
  for (const loop of all) loop.isGoing = false;
  await until(() => total('done') === total('sent'));
  return { ...measured, lost: total('sent') - total('done') };
}

/** One publishes to all others: how many deliveries in a second. */
async function fan({ port, path, isMqtt, connections, window, payload, seconds }) {
  let received = 0;
  let sent = 0;
  let isGoing = false;
  const whole = isMqtt ? publish('fan', Buffer.alloc(payload, 0x2e), 0) : Buffer.alloc(payload);
  let opened = 0;
  const heard = (bytes, begin, end) => {
    // Each packet of a subscriber is the same, but for its SUBACK and CONNACK.
    if (!isMqtt) received += 1;
    else if (bytes[begin] >> 4 === 3) received += (end - begin) / whole.length;
    else return void (opened += 1);
    if (isGoing) go();
  };
  const subscriber = async (number) => {
    const socket = await openWebSocket(port, path, heard);
    if (isMqtt) socket.write(frame(Buffer.concat([connect(`fan-${number}`), subscribe('fan', 0)])));
  };
  for (let number = 0; number < connections; number += 50) {
    await Promise.all(Array.from({ length: Math.min(50, connections - number) }, (_, index) => subscriber(number + index)));
  }
  const publisher = await openWebSocket(port, path, () => {});
  if (isMqtt) publisher.write(frame(connect('publisher')));
  await until(() => !isMqtt || opened >= connections);
  await sleep(500);
  const go = () => {
    const parts = [];
    for (; sent - received / connections < window; sent += 1) parts.push(frame(whole));
    if (parts.length > 0) publisher.write(Buffer.concat(parts));
  };
  isGoing = true;
  go();
  const measured = await measure(() => received, seconds);
  isGoing = false;
  await until(() => received === sent * connections);
  return { ...measured, lost: sent * connections - received };
}

/** How long it takes a new object to give its first answer, in milliseconds: objects of each kind in turn, one after the other. */
async function cold({ kinds, times }) {
  const first = async ({ port, path, isMqtt }, number) => {
    const begin = performance.now();
    const answered = promised();
    const socket = await openWebSocket(port, `${path}-${number}`, () => answered.resolve());
    socket.write(frame(isMqtt ? connect('first') : Buffer.alloc(16)));
    await answered.promise;
    const millis = performance.now() - begin;
    socket.destroy();
    await sleep(20);
    return millis;
  };
  const millis = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
  for (let number = 0; number <= times; number += 1) {
    for (const [name, kind] of Object.entries(kinds)) {
      const taken = await first(kind, number);
      // The very first has the code compiled.
      if (number > 0) millis[name].push(taken);
    }
  }
  return { millis: Object.fromEntries(Object.entries(millis).map(([name, taken]) => [name, median(taken)])) };
}

/** Many come and go, `concurrency` at a time: how many in a second get their first answer. */
async function storm({ port, path, isMqtt, concurrency, seconds }) {
  let count = 0;
  let isGoing = true;
  const comeAndGo = async (place) => {
    for (let number = 0; isGoing; number += 1) {
      const answered = promised();
      const socket = await openWebSocket(port, path, () => answered.resolve());
      socket.write(frame(isMqtt ? connect(`storm-${place}-${number}`) : Buffer.alloc(16)));
      await answered.promise;
      count += 1;
      socket.destroy();
    }
  };
  const places = Array.from({ length: concurrency }, (_, place) => comeAndGo(place));
  const measured = await measure(() => count, seconds);
  isGoing = false;
  await Promise.all(places);
  return { ...measured, lost: 0 };
}

/** A promise and what resolves it: Node 20 has no `Promise.withResolvers`. */
function promised() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

/** What grows by how much in a second, after one to warm up. Says when it begins and ends. */
async function measure(count, seconds) {
  await sleep(1_000);
  console.log('begin');
  const [before, begin, cpu] = [count(), performance.now(), process.cpuUsage()];
  await sleep(seconds * 1_000);
  const [difference, elapsed] = [count() - before, (performance.now() - begin) / 1_000];
  const { user, system } = process.cpuUsage(cpu);
  console.log('end');
  return { rate: difference / elapsed, count: difference, elapsed, loadCore: (user + system) / 1e6 / elapsed };
}

function median(values) {
  return values.sort((one, other) => one - other)[values.length >> 1];
}

/** At most ten seconds: what has not come by then does not come. */
async function until(condition) {
  for (let looks = 0; !condition() && looks < 1_000; looks += 1) await sleep(10);
}

const kinds = { loops, fan, cold, storm };
const { kind, ...options } = JSON.parse(process.argv[2]);
const { lost, count, ...figures } = await kinds[kind](options);
console.log(JSON.stringify({ ...figures, count, lost: count ? (lost * 1e6) / count : 0 }));
process.exit();
