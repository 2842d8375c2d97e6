// Starts the Worker so that a test can steer its rooms: see steered.js.

import { fileURLToPath } from 'node:url';
import { start } from '../local.mjs';
import { connect, open, packet, text } from './raw-client.mjs';

/** Starts workerd as `start` of local.mjs does, with the paths of steered.js. */
export async function startSteered(options = {}) {
  const workerd = await start({ ...options, entry: fileURLToPath(new URL('steered.js', import.meta.url)) });
  return { ...workerd, room: (name) => new SteeredRoom(workerd.port, name) };
}

class SteeredRoom {
  #base;
  #clients = [];

  /** Where its clients connect. */
  url;

  constructor(port, name) {
    this.url = `ws://127.0.0.1:${port}/mqtt/${name}`;
    this.#base = `http://127.0.0.1:${port}/steer/${name}`;
  }

  /** A raw client at this room. */
  async open() {
    return this.#known(await open(this.url));
  }

  /** A raw client that has connected with MQTT 3.1.1. */
  async connect(options) {
    return this.#known(await connect(this.url, options));
  }

  /** Leaves a 3.1.1 session behind that subscribes to `filter` at QoS 1. */
  async absent(clientId, filter) {
    const client = await this.open();
    client.send(packet('10', `${text('MQTT')}04000000${text(clientId)}`));
    await client.hears('20020000');
    client.send(packet('82', `0001${text(filter)}01`) + 'e000');
    await client.hears('9003000101');
    await client.closed;
  }

  /** Has the room do what steered.js names `order`. */
  async steer(order, parameters = {}, body) {
    const response = await this.#ask(order, parameters, body);
    return response.json();
  }

  /** Puts it to sleep, with its WebSockets open, once it has dealt with all that its clients have sent. */
  evict() {
    return this.steer('evict', { bytes: this.#clients.reduce((bytes, { sent }) => bytes + sent, 0) });
  }

  /** Sets its clock, in milliseconds, and fires the alarms that are due by then. */
  time(now) {
    return this.steer('time', { now });
  }

  facts() {
    return this.steer('facts');
  }

  /** Resolves when something has woken it. This does not; the limit turns a hang into a failure. */
  async starts() {
    for (let look = 0; (await this.facts()).started === 0; look += 1) {
      if (look === 1000) throw new Error('Nothing has woken the room.');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async export() {
    const response = await this.#ask('export');
    return new Uint8Array(await response.arrayBuffer());
  }

  /** What is exported when nobody is let in any more. */
  async suspend() {
    const response = await this.#ask('suspend');
    return new Uint8Array(await response.arrayBuffer());
  }

  import(file) {
    return this.steer('import', {}, file);
  }

  async #ask(order, parameters, body) {
    const response = await fetch(`${this.#base}/${order}?${new URLSearchParams(parameters)}`, { method: 'POST', body });
    if (response.status !== 200) throw new Error(await response.text());
    return response;
  }

  #known(client) {
    this.#clients.push(client);
    return client;
  }
}
