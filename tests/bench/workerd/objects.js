// What a room is measured beside: Durable Objects that do a part of its work and nothing else. The hibernation API, as the room.

import { DurableObject } from 'cloudflare:workers';

class Base extends DurableObject {
  fetch() {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.ctx.acceptWebSocket(socket);
    this.opened(socket);
    return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': 'mqtt' } });
  }

  opened() {}

  webSocketClose(socket) {
    socket.close();
  }
}

/** Sends each message back. */
export class Echo extends Base {
  webSocketMessage(socket, message) {
    socket.send(message);
  }
}

/** Writes each message down, and sends it back: the platform holds that until what was written is durable. */
export class Commit extends Base {
  constructor(state, environment) {
    super(state, environment);
    state.storage.sql.exec('CREATE TABLE IF NOT EXISTS records (key INTEGER PRIMARY KEY, value BLOB NOT NULL)');
  }

  #last = 0;

  webSocketMessage(socket, message) {
    this.ctx.storage.sql.exec('INSERT INTO records VALUES (?, ?)', (this.#last += 1), message);
    socket.send(message);
  }
}

/** Sends each message to all others. */
export class Fan extends Base {
  #sockets = new Set();

  opened(socket) {
    this.#sockets.add(socket);
  }

  webSocketMessage(publisher, message) {
    for (const socket of this.#sockets) if (socket !== publisher) socket.send(message);
  }

  webSocketClose(socket) {
    this.#sockets.delete(socket);
    super.webSocketClose(socket);
  }
}

export default {
  fetch(request, environment) {
    const [, kind, name] = new URL(request.url).pathname.split('/');
    return environment[kind].getByName(name).fetch(request);
  },
};
