// The Worker with more paths, `/steer/ROOM/...`, by which a test steers that room and looks into it. What a test tells a room or
// counts of it is kept here: the modules outlive the objects.

import unsafe from 'workerd:unsafe';
import worker, { MqttBroker as Room } from './index.js';

/** What all rooms share. */
let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  memory = instance.exports.memory;
  return instance;
};

/** By the identifier of a room's object. */
const facts = new Map();

function factsOf(id) {
  const key = String(id);
  if (!facts.has(key)) {
    facts.set(key, { started: 0, alarms: 0, messages: 0, bytes: 0, armings: 0, rows: 0, now: undefined, alarmAt: undefined, fails: false });
  }
  return facts.get(key);
}

export class MqttBroker extends Room {
  // The constructor of the class above asks first, so there are no fields to initialise.
  options() {
    const { storage } = this.ctx;
    this.facts = factsOf(this.ctx.id);
    this.facts.started += 1;
    const { setAlarm, deleteAlarm, getAlarm, transactionSync } = storage;
    // With a clock of the test's, alarms are the test's to fire.
    storage.setAlarm = (at) => {
      this.facts.armings += 1;
      if (this.facts.now === undefined) return setAlarm.call(storage, at);
      this.facts.alarmAt = at;
    };
    storage.deleteAlarm = () => {
      this.facts.armings += 1;
      if (this.facts.now === undefined) return deleteAlarm.call(storage);
      this.facts.alarmAt = undefined;
    };
    storage.getAlarm = async () => (this.facts.now === undefined ? getAlarm.call(storage) : (this.facts.alarmAt ?? null));
    // What a statement has written is known when it is done, which those that return nothing are at once.
    const { sql } = storage;
    const { exec } = sql;
    sql.exec = (...statement) => {
      const cursor = exec.apply(sql, statement);
      this.facts.rows += cursor.rowsWritten;
      return cursor;
    };
    storage.transactionSync = (task) => {
      if (this.facts.fails) storage.sql.exec('DROP TABLE IF EXISTS records');
      this.facts.fails = false;
      return transactionSync.call(storage, task);
    };
    return { ...super.options(), clock: () => this.facts.now ?? Date.now() };
  }

  fetch(request) {
    if (!request.url.endsWith('?unknown')) return super.fetch(request);
    // As an earlier deployment did, which remembered nothing of its sockets.
    const { 0: client, 1: socket } = new WebSocketPair();
    this.ctx.acceptWebSocket(socket);
    return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': 'mqtt' } });
  }

  webSocketMessage(socket, message) {
    this.facts.messages += 1;
    this.facts.bytes += message.byteLength ?? message.length;
    super.webSocketMessage(socket, message);
  }

  alarm() {
    this.facts.alarms += 1;
    super.alarm();
  }

  /**
   * Resolves when all that the room has heard is dealt with, and written: an object does not sleep before its timers have rung, and the
   * one for what may wait takes longer than a test should.
   */
  async settle() {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve));
    this.storage.flush();
  }

  /** Sets the time, and fires the alarm if it is due. */
  async ring() {
    this.facts.alarmAt = undefined;
    this.alarm();
    await this.settle();
  }

  query(sql) {
    return this.ctx.storage.sql.exec(sql).toArray();
  }

  size() {
    return this.ctx.storage.sql.databaseSize;
  }

  /** Leaves the object with a broker that is over. */
  end() {
    return this.broker.close();
  }

  attach(bytes) {
    const { 1: socket } = new WebSocketPair();
    this.ctx.acceptWebSocket(socket);
    socket.serializeAttachment(new Uint8Array(bytes));
    socket.close();
  }

  stats() {
    if (this.facts.failsStatistics) throw new Error('A statistic failed.');
    return super.stats();
  }

  statistics() {
    return this.broker.statistics();
  }

  putUser(name, change) {
    return this.users.put(name, change);
  }

  removeUser(name) {
    return this.users.remove(name);
  }

  /** Gives the room so many sessions with two subscriptions each, and as many retained messages. */
  async populate(count) {
    for (let number = 0; number < count; number += 1) {
      const transport = { send() {}, close() {}, onmessage: null, onclose: null };
      this.broker.accept(transport);
      const connect = packet(0x10, [...text('MQTT'), 4, 0, 0, 0, ...text(`session-${number}`)]);
      const subscribe = packet(0x82, [0, 1, ...text(`devices/${number}/+`), 1, ...text(`rooms/${number % 100}/${number}`), 0]);
      transport.onmessage({ data: new Uint8Array([...connect, ...subscribe, 0xe0, 0]) });
      await this.broker.publish(`states/${number}`, `state ${number}`, { retain: true });
    }
  }

  abort() {
    this.ctx.abort('The test aborts this room.');
  }
}

const packet = (type, rest) => [type, rest.length, ...rest];

const text = (value) => [0, value.length, ...new TextEncoder().encode(value)];

/** What a test asks of a room, by the last part of the path. */
const orders = {
  /** Puts the room to sleep once it has heard so many bytes in all; its WebSockets stay open. */
  async evict(stub, room, { bytes }) {
    while (bytes !== undefined && room.bytes < Number(bytes)) await new Promise((resolve) => setTimeout(resolve, 1));
    await stub.settle();
    await unsafe.evict(stub, { webSockets: 'hibernate' });
  },
  /** The same for a room that is known to be at rest. */
  async sleep(stub) {
    await unsafe.evict(stub, { webSockets: 'hibernate' });
  },
  /** Sets the clock, in milliseconds, and fires each alarm that is due by then; more may be armed on the way. */
  async time(stub, room, { now }) {
    room.now ??= 0;
    while (room.alarmAt !== undefined && room.alarmAt <= Number(now)) {
      room.now = Math.max(room.now, room.alarmAt);
      await stub.ring();
    }
    room.now = Number(now);
  },
  facts: (_, room) => ({ ...room, memory: memory?.buffer.byteLength }),
  query: (stub, _, { sql }) => stub.query(sql),
  size: (stub) => stub.size(),
  statistics: (stub) => stub.statistics(),
  publish: (stub, _, { topic, payload, ...options }) => stub.publish(topic, payload, { qos: Number(options.qos ?? 0), retain: options.retain === 'true' }),
  putUser: async (stub, _, { name }, request) => stub.putUser(name, await request.json()),
  removeUser: (stub, _, { name }) => stub.removeUser(name),
  populate: (stub, _, { count }) => stub.populate(Number(count)),
  end: (stub) => stub.end(),
  attach: (stub, _, { bytes }) => stub.attach(Number(bytes)),
  settle: (stub) => stub.settle(),
  forwards: (stub) => stub.forwardStatistics(),
  export: async (stub) => new Response(await stub.export()),
  async import(stub, _, __, request) {
    return stub.import(new Uint8Array(await request.arrayBuffer()));
  },
  suspend: async (stub) => new Response(await stub.suspend()),
  move: (stub, _, { room, permanent }) => stub.move(room ? { room, permanent: permanent === 'true' } : undefined),
  /** Ends the object and its WebSockets, as a deployment does. */
  async abort(stub) {
    await stub.abort().catch(() => {});
  },
  /** The next commit finds no table. */
  fail: (_, room) => void (room.fails = true),
  /** The room no longer tells what it counts. */
  failStatistics: (_, room) => void (room.failsStatistics = true),
};

export default {
  async fetch(request, environment) {
    const { pathname, searchParams } = new URL(request.url);
    const [, name, order] = /^\/steer\/([^/]+)\/(\w+)$/.exec(pathname) ?? [];
    if (!order) return worker.fetch(request, environment);
    const stub = environment.BROKER.getByName(name);
    const id = environment.BROKER.idFromName(name);
    const answer = await orders[order](stub, factsOf(id), Object.fromEntries(searchParams), request);
    return answer instanceof Response ? answer : Response.json(answer ?? null);
  },
};
