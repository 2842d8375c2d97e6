// The Worker with one more path: at `/steer/ROOM` a WebSocket through which a script steers that room. It sets the room's clock,
// runs its alarm, answers its questions, and asks when all that its clients did has been dealt with.

import worker, { MqttBroker as Room } from './index.js';

/** How each room is to be, until it is. */
const settings = new Map();

// What an input left is done after it: a room is not at rest before.
const later = globalThis.setTimeout;
let pending = 0;
globalThis.setTimeout = (call, wait) => {
  pending += 1;
  return later(() => {
    pending -= 1;
    call();
  }, wait);
};

export class MqttBroker extends Room {
  // The constructor of the class above asks first, so there are no fields to initialise.
  options() {
    const { now, config, policy } = settings.get(this.ctx.id.name);
    settings.delete(this.ctx.id.name);
    Object.assign(this, { now, alarmAt: undefined, outputs: [], questions: [], numbers: new Map(), connections: {}, waiting: undefined });
    this.ctx.storage.setAlarm = (at) => (this.alarmAt = at);
    this.ctx.storage.deleteAlarm = () => (this.alarmAt = undefined);
    this.ctx.acceptWebSocket = (socket) => this.accept(socket);
    const authenticate = (request) => {
      this.outputs.push({ connection: 0, asked: request }); // the package does not say whose question it is
      return new Promise((resolve) => this.questions.push(resolve));
    };
    return {
      ...config,
      ...(policy.asks ? { authenticate } : policy),
      onEvent: (event) => this.outputs.push({ event }),
      clock: () => this.now,
    };
  }

  fetch(request) {
    const { pathname, search } = new URL(request.url);
    if (!pathname.startsWith('/steer/')) {
      this.opening = search.slice(1);
      const response = super.fetch(request);
      this.waiting?.();
      return response;
    }
    const { 0: script, 1: socket } = new WebSocketPair();
    socket.accept();
    socket.addEventListener('message', async ({ data }) => {
      const reply = await this.steer(parse(data)).catch(({ stack }) => ({ error: stack }));
      socket.send(stringify(reply));
    });
    return new Response(null, { status: 101, webSocket: script });
  }

  accept(socket) {
    const connection = { received: 0, sent: 0, closed: false, gone: false };
    this.connections[this.opening] = connection;
    this.numbers.set(socket, connection);
    Object.getPrototypeOf(this.ctx).acceptWebSocket.call(this.ctx, socket);
    const { send, close } = WebSocket.prototype;
    socket.send = (bytes) => {
      connection.sent += bytes.byteLength;
      send.call(socket, bytes);
    };
    socket.close = (...why) => {
      if (!connection.gone) connection.closed = true;
      close.apply(socket, why);
    };
  }

  webSocketMessage(socket, message) {
    super.webSocketMessage(socket, message);
    this.numbers.get(socket).received += message.byteLength;
    this.waiting?.();
  }

  webSocketClose(socket) {
    this.numbers.get(socket).gone = true;
    super.webSocketClose(socket);
    this.waiting?.();
  }

  webSocketError(socket) {
    this.numbers.get(socket).gone = true;
    super.webSocketError(socket);
    this.waiting?.();
  }

  /** Does what the script says, and once the room is at rest tells what came of it. */
  async steer({ now, orders, clients }) {
    this.now = now;
    for (const { input, about } of orders) await this.order(input, about);
    await new Promise((resolve) => {
      this.waiting = () => Object.entries(clients).every((client) => this.hasHeardOf(client)) && resolve();
      this.waiting();
    });
    // An answer is a promise: what follows from it does so within a turn.
    if (orders.length > 0) await turn();
    while (pending > 0) await turn();
    const outputs = this.outputs.splice(0);
    const connections = Object.fromEntries(Object.keys(clients).map((number) => [number, this.connections[number]]));
    if (!this.isOver) this.statistics = this.broker.statistics();
    return { outputs, connections, statistics: this.statistics, deadline: this.alarmAt };
  }

  async order(input, about) {
    if (input === 'authenticated') {
      this.questions.shift()(about);
    } else if (input === 'publish') {
      const { topic, payload, ...options } = about;
      await this.broker.publish(topic, payload, options);
    } else if (input === 'shutDown') {
      this.isOver = true;
      this.broker.close();
    } else if (this.alarmAt <= this.now) {
      this.alarmAt = undefined;
      this.alarm();
    }
  }

  hasHeardOf([number, { written, isCut }]) {
    const connection = this.connections[number];
    if (!connection) return false;
    return connection.closed || (isCut ? connection.gone : connection.received === written);
  }
}

export default {
  async fetch(request, environment) {
    const room = /^\/steer\/(.+)$/.exec(new URL(request.url).pathname)?.[1];
    if (!room) return worker.fetch(request, environment);
    if (request.method === 'POST') {
      settings.set(room, parse(await request.text()));
      return new Response();
    }
    return environment.BROKER.getByName(room).fetch(request);
  },
};

const turn = () => new Promise((resolve) => later(resolve));

const parse = (text) => JSON.parse(text, (_, value) => (typeof value?.hex === 'string' ? Uint8Array.fromHex(value.hex) : value));

const stringify = (value) => JSON.stringify(value, (_, value) => (value instanceof Uint8Array ? { hex: value.toHex() } : value));
