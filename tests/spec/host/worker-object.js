// The Worker with one more path: at `/steer/ROOM` a WebSocket through which a script steers that room. It sets the room's clock,
// runs its alarm, answers its questions, and asks when all that its clients did has been dealt with. With `sleeps`, the room is
// put to sleep after each such look: what is said of a room here outlives its objects, as this module does.

import unsafe from 'workerd:unsafe';
import worker, { MqttBroker as Room } from './index.js';

/** By their names. */
const rooms = new Map();

// What an input left is done after it: a room is not at rest before. Nobody waits: the clock is the script's, and stands still.
const later = globalThis.setTimeout;
let busy;
globalThis.setTimeout = (call) => {
  const room = busy;
  if (room) room.pending += 1;
  return later(() => {
    if (room) room.pending -= 1;
    within(room, call);
  }, 0);
};

/** Runs `task`, whose timers are the room's. */
function within(room, task) {
  busy = room;
  try {
    return task();
  } finally {
    busy = undefined;
  }
}

export class MqttBroker extends Room {
  // The constructor of the class above asks first, so there are no fields to initialise.
  options() {
    this.room = rooms.get(this.ctx.id.name);
    this.questions = [];
    const { room, ctx } = this;
    // The room's own tags are beside the one that tells connections apart.
    ctx.getTags = (socket) => allTags(ctx, socket).slice(1);
    ctx.storage.setAlarm = (at) => (room.alarmAt = at);
    ctx.storage.deleteAlarm = () => (room.alarmAt = undefined);
    ctx.storage.getAlarm = async () => room.alarmAt ?? null;
    for (const socket of ctx.getWebSockets()) this.count(socket);
    const authenticate = (request) => {
      room.outputs.push({ connection: 0, asked: request }); // the package does not say whose question it is
      return new Promise((resolve) => this.questions.push(resolve));
    };
    return {
      ...room.config,
      ...(room.policy.asks ? { authenticate } : room.policy),
      onEvent: (event) => room.outputs.push({ event }),
      clock: () => room.now,
    };
  }

  async fetch(request) {
    const { ctx, room } = this;
    const number = new URL(request.url).search.slice(1);
    room.connections[number] = { received: 0, sent: 0, closed: false, gone: false };
    ctx.acceptWebSocket = (socket, tags) => {
      Object.getPrototypeOf(ctx).acceptWebSocket.call(ctx, socket, [number, ...tags]);
      this.count(socket);
    };
    room.pending += 1;
    const response = within(room, () => super.fetch(request));
    room.waiting?.();
    try {
      return await response;
    } finally {
      room.pending -= 1;
    }
  }

  /** Counts what goes out over the socket from now on. */
  count(socket) {
    const connection = this.connectionOf(socket);
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

  connectionOf(socket) {
    return this.room.connections[allTags(this.ctx, socket)[0]];
  }

  webSocketMessage(socket, message) {
    within(this.room, () => super.webSocketMessage(socket, message));
    this.connectionOf(socket).received += message.byteLength;
    this.room.waiting?.();
  }

  webSocketClose(socket) {
    this.connectionOf(socket).gone = true;
    within(this.room, () => super.webSocketClose(socket));
    this.room.waiting?.();
  }

  webSocketError(socket) {
    this.connectionOf(socket).gone = true;
    within(this.room, () => super.webSocketError(socket));
    this.room.waiting?.();
  }

  /** Does what the script says, and once the room is at rest tells what came of it. */
  async steer({ orders, clients }) {
    const { room } = this;
    for (const { input, about } of orders) await this.order(input, about);
    await new Promise((resolve) => {
      room.waiting = () => Object.entries(clients).every((client) => this.hasHeardOf(client)) && resolve();
      room.waiting();
    });
    room.waiting = undefined;
    // An answer is a promise, and so is a connection that opens: what follows from it does so within a turn.
    await turn();
    while (room.pending > 0) await turn();
    const outputs = room.outputs.splice(0);
    const connections = Object.fromEntries(Object.keys(clients).map((number) => [number, room.connections[number]]));
    if (!room.isOver) room.statistics = this.broker.statistics();
    return stringify({ outputs, connections, statistics: room.statistics, deadline: room.alarmAt });
  }

  async order(input, about) {
    const { room } = this;
    if (input === 'authenticated') {
      within(room, () => this.questions.shift()(about));
    } else if (input === 'publish') {
      const { topic, payload, ...options } = about;
      // What is refused is an event, too.
      await this.broker.publish(topic, payload, options).catch(() => {});
    } else if (input === 'disconnect') {
      const { clientId, ...options } = about;
      this.broker.disconnect(clientId, options);
    } else if (input === 'moved') {
      await this.broker.move(about.server, { permanent: about.permanent });
    } else if (input === 'shutDown') {
      room.isOver = true;
      await this.broker.close();
    } else if (room.alarmAt <= room.now) {
      room.alarmAt = undefined;
      within(room, () => this.alarm());
    }
  }

  hasHeardOf([number, { written, isCut }]) {
    const connection = this.room.connections[number];
    if (!connection) return false;
    return connection.closed || (isCut ? connection.gone : connection.received === written);
  }

  /** Whether an answer is awaited, which only this object can take. */
  isAsking() {
    return this.questions.length > 0;
  }
}

export default {
  async fetch(request, environment) {
    const name = /^\/steer\/(.+)$/.exec(new URL(request.url).pathname)?.[1];
    if (!name) return worker.fetch(request, environment);
    if (request.method === 'POST') {
      rooms.set(name, { ...parse(await request.text()), outputs: [], connections: {}, pending: 0 });
      return new Response();
    }
    const { 0: script, 1: socket } = new WebSocketPair();
    socket.accept();
    socket.addEventListener('message', async ({ data }) => {
      const reply = await steer(environment.BROKER.getByName(name), rooms.get(name), data).catch(({ stack }) => JSON.stringify({ error: stack }));
      socket.send(reply);
    });
    return new Response(null, { status: 101, webSocket: script });
  },
};

async function steer(stub, room, data) {
  const request = parse(data);
  room.now = request.now;
  const reply = await stub.steer(request);
  if (room.sleeps && !room.isOver && !(await stub.isAsking())) await unsafe.evict(stub, { webSockets: 'hibernate' });
  return reply;
}

const allTags = (ctx, socket) => Object.getPrototypeOf(ctx).getTags.call(ctx, socket);

const turn = () => new Promise((resolve) => later(resolve, 0));

const parse = (text) => JSON.parse(text, (_, value) => (typeof value?.hex === 'string' ? Uint8Array.fromHex(value.hex) : value));

const stringify = (value) => JSON.stringify(value, (_, value) => (value instanceof Uint8Array ? { hex: value.toHex() } : value));
