// The kinds of attackers. Each is one client that misbehaves until the signal aborts, and comes back when it is thrown out: a
// function of its number, where the room is, and what it counts.

import { setTimeout as sleep } from 'node:timers/promises';
import { connect, length, packet, PINGREQ, publish, Splitter, subscribe, text } from './packets.mjs';
import { BINARY, frame, openWebSocket } from './web-socket.mjs';

export const KINDS = {
  /** Sends what fuzzing has found, behind a CONNECT and before one. */
  async malformed(attacker) {
    for (let number = attacker.number; !attacker.isOver; number += 1) {
      const { bytes } = attacker.corpus[(number * 7919) % attacker.corpus.length];
      const client = await attacker.open();
      if (number % 2) client.send(connect(attacker.name));
      attacker.send(client, bytes);
      attacker.send(client, PINGREQ);
      await attacker.pause(200);
      client.destroy();
    }
  },

  /** Publishes at QoS 0 far above any limit: 10,000 packets a second, ten in a message. */
  flood: (attacker) => flood(attacker, 0, 10),

  /** The same at QoS 1, without waiting for a PUBACK. */
  flood1: (attacker) => flood(attacker, 1, 10),

  /** The same, a packet in a message: a thousand messages a second. */
  trickle: (attacker) => flood(attacker, 0, 1),

  /** Subscribes to everything at QoS 0 and reads nothing. */
  deaf: (attacker) => deaf(attacker, 0),

  /** The same at QoS 1. */
  deaf1: (attacker) => deaf(attacker, 1),

  /** Asks for answers and reads none. */
  async mute(attacker) {
    while (!attacker.isOver) {
      const client = await attacker.connect();
      client.pause();
      const pings = Buffer.concat(Array(500).fill(PINGREQ));
      while (client.isOpen && !attacker.isOver) {
        attacker.send(client, pings);
        await attacker.pause(20);
      }
      client.destroy();
      await attacker.pause(200);
    }
  },

  /** Connects, and is gone without a word. */
  async drop(attacker) {
    while (!attacker.isOver) {
      const client = await attacker.connect();
      client.destroy();
      await attacker.pause(100);
    }
  },

  /** Sends packets above Maximum Packet Size, and now and then a WebSocket message above what the platform takes. */
  async oversize(attacker) {
    for (let round = 0; !attacker.isOver; round += 1) {
      const client = await attacker.connect();
      const size = round % 8 === 7 ? 33 << 20 : 2 << 20;
      const head = Buffer.concat([Buffer.from([0x30]), length(size), text('big')]);
      const whole = frame(BINARY, Buffer.concat([head, Buffer.alloc(size - 5)]));
      for (let at = 0; at < whole.length && client.isOpen && !attacker.isOver; at += CHUNK) {
        await attacker.drain(client, whole.subarray(at, at + CHUNK));
      }
      client.destroy();
      await attacker.pause(1000);
    }
  },

  /** Sends a byte at a time, each in a message of its own: a CONNECT, then a large PUBLISH. */
  async slow(attacker) {
    while (!attacker.isOver) {
      const client = await attacker.open();
      const bytes = Buffer.concat([connect(attacker.name), publish('slow', Buffer.alloc(1000))]);
      for (let at = 0; at < bytes.length && client.isOpen && !attacker.isOver; at += 1) {
        attacker.send(client, bytes.subarray(at, at + 1));
        await attacker.pause(20);
      }
      client.destroy();
    }
  },

  /** Guesses passwords. */
  async guess(attacker) {
    for (let guess = 0; !attacker.isOver; guess += 1) {
      const client = await attacker.open();
      attacker.send(client, connect(attacker.name, { userName: `user-${attacker.number % 3}`, password: `guess ${guess}` }));
      await attacker.pause(100);
      client.destroy();
    }
  },

  /** Subscribes to a thousand filters and unsubscribes from them, again and again. */
  async churn(attacker) {
    const filters = Array.from({ length: 250 }, (_, number) => `churn/${attacker.number}/+/${number}/#`);
    const subscribes = packet(0x82, [Buffer.from([0, 1, 0]), ...filters.flatMap((filter) => [text(filter), Buffer.from([0])])]);
    const unsubscribes = packet(0xa2, [Buffer.from([0, 2, 0]), ...filters.map(text)]);
    while (!attacker.isOver) {
      const client = await attacker.connect();
      while (client.isOpen && !attacker.isOver) {
        attacker.send(client, subscribes);
        attacker.send(client, unsubscribes);
        await attacker.pause(50);
      }
      client.destroy();
      await attacker.pause(200);
    }
  },
};

async function flood(attacker, qos, packets) {
  while (!attacker.isOver) {
    const client = await attacker.connect();
    for (let id = 1; client.isOpen && !attacker.isOver; ) {
      const batch = Array.from({ length: packets }, () => publish(`flood/${attacker.number}`, FLOOD, { qos, id: (id++ % 65_535) + 1 }));
      for (let times = 0; times < 10 && client.isOpen; times += 1) attacker.send(client, Buffer.concat(batch));
      await attacker.writable(client);
      await attacker.pause(10);
    }
    client.destroy();
    await attacker.pause(200);
  }
}

async function deaf(attacker, qos) {
  while (!attacker.isOver) {
    const client = await attacker.connect();
    client.send(subscribe('#', qos));
    client.pause();
    while (client.isOpen && !attacker.isOver) {
      // It can still send, so nobody takes it for dead.
      attacker.send(client, PINGREQ);
      await attacker.pause(1000);
    }
    client.destroy();
    await attacker.pause(200);
  }
}

/** One attacker: what all kinds need. */
export class Attacker {
  /** How often it was let in, how often it was thrown out or not let in, and what it sent. */
  opened = 0;
  refused = 0;
  thrownOut = 0;
  sent = 0;

  constructor(kind, number, { round, port, path, corpus, signal }) {
    this.name = `${kind}-${number}`;
    this.kind = kind;
    this.number = number;
    this.corpus = corpus;
    this.#where = [port, path];
    this.#headers = { 'CF-Connecting-IP': `10.${2 + round}.${number >> 8}.${number & 255}` };
    this.#signal = signal;
  }

  #where;
  /** Each has an address of its own, as Cloudflare would tell it. */
  #headers;
  #signal;

  get isOver() {
    return this.#signal.aborted;
  }

  /** Misbehaves until it is over. */
  async run() {
    while (!this.isOver) {
      await KINDS[this.kind](this).catch(async () => {
        if (this.isOver) return;
        this.refused += 1;
        await this.pause(200);
      });
    }
  }

  /** A WebSocket on which nothing was said. */
  async open(received) {
    const client = await openWebSocket(...this.#where, { headers: this.#headers, signal: this.#signal, received, closed: (wasOpen) => wasOpen && !client.isOurs && (this.thrownOut += 1) });
    const { destroy } = client;
    client.destroy = () => {
      client.isOurs = true;
      destroy.call(client);
    };
    this.opened += 1;
    return client;
  }

  /** A client that has heard its CONNACK. */
  async connect() {
    let answered;
    const answer = new Promise((resolve) => (answered = resolve));
    const splitter = new Splitter((first) => first >> 4 === 2 && answered());
    const client = await this.open((bytes) => splitter.push(bytes));
    client.socket.once('close', answered);
    client.send(connect(this.name));
    await answer;
    if (!client.isOpen) throw new Error('It was not let in.');
    return client;
  }

  send(client, bytes) {
    this.sent += bytes.length;
    return client.isOpen && client.send(bytes);
  }

  /** Writes bytes that are a part of a frame, and waits until the system has taken them. */
  async drain(client, bytes) {
    this.sent += bytes.length;
    if (!client.socket.write(bytes)) await this.writable(client);
  }

  async writable({ socket }) {
    if (socket.writableNeedDrain) await Promise.race([once(socket, 'drain'), once(socket, 'close'), aborted(this.#signal)]);
  }

  /** Milliseconds until it goes on. */
  async pause(time) {
    await sleep(time, undefined, { signal: this.#signal }).catch(() => {});
  }
}

const once = (socket, event) => new Promise((resolve) => (socket.destroyed ? resolve() : socket.once(event, resolve)));

const aborted = (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));

const FLOOD = Buffer.alloc(32);
const CHUNK = 256 << 10;
