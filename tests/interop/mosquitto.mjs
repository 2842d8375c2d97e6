// mosquitto_pub and mosquitto_sub for one test, with topics and client ids that no other test uses.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { within } from './clients.mjs';

/** The options that are followed by a topic or filter. */
const TOPICS = ['-t', '--will-topic'];
/** A retained message that every subscriber hears once its subscriptions were granted: its other output is buffered. */
const READY = 'ready';

export class Mosquitto {
  #server;
  #version;
  #running = new Set();
  #name = Math.random().toString(36).slice(2, 12);

  constructor(server, version) {
    this.#server = server;
    this.#version = version;
  }

  /** Runs `body` with these clients, and ends them all whatever happened. */
  static async use(server, version, body) {
    const mosquitto = new Mosquitto(server, version);
    try {
      await mosquitto.publish(['-t', READY, '-q', 1, '-r', '-m', mosquitto.topic(READY)]);
      await body(mosquitto);
    } finally {
      await Promise.all([...mosquitto.#running].map((client) => client.kill()));
    }
  }

  /** The topic, or client id, as it goes over the wire. */
  topic = (name) => `${this.#name}/${name}`;
  id = (name) => `${this.#name}-${name}`;

  /** Publishes, with `input` on stdin; resolves when mosquitto_pub has succeeded. */
  publish = async (options, input = '') => {
    const client = this.#start('mosquitto_pub', options);
    client.process.stdin.end(input);
    await client.succeeds();
  };

  /** A subscriber, once its subscriptions were granted. */
  subscribe = async (options) => {
    const client = this.#start('mosquitto_sub', [...options, '-t', READY]);
    await within(client.subscribed, `the subscriptions of ${client.command}`);
    return client;
  };

  /** Everything that a subscriber hears until it ends by itself. */
  listen = async (options) => {
    const client = this.#start('mosquitto_sub', options);
    await client.succeeds();
    return client.heard;
  };

  #start(command, options) {
    const { hostname, port } = this.#server;
    const named = options.map((option, index) => (TOPICS.includes(options[index - 1]) ? this.#filter(option) : `${option}`));
    const client = new Client(command, ['-h', hostname, '-p', port, '-V', this.#version, ...named], this.topic(''));
    this.#running.add(client);
    return client;
  }

  #filter(filter) {
    const [, share = '', rest] = filter.match(/^(\$share\/[^/]+\/)?(.*)$/);
    return share + this.topic(rest);
  }
}

class Client {
  heard = [];
  #wake = () => {};
  #complaints = '';

  constructor(command, options, prefix) {
    this.command = [command, ...options].join(' ');
    this.process = spawn(command, options);
    this.ended = once(this.process, 'close');
    this.process.stderr.on('data', (text) => (this.#complaints += text));
    this.process.stdin.on('error', () => {}); // its exit code says more
    this.subscribed = new Promise((resolve) => {
      createInterface(this.process.stdout).on('line', (line) => {
        if (line.includes(prefix + READY)) resolve();
        else this.heard.push(line.replaceAll(prefix, ''));
        this.#wake();
      });
    });
  }

  /** The next `count` messages, which are all that it has heard. */
  async lines(count) {
    while (this.heard.length < count) await this.#more();
    return this.heard.splice(0);
  }

  /** What each of `clients` has heard once it is `count` messages together. */
  static async linesOfAll(clients, count) {
    const heard = () => clients.reduce((sum, client) => sum + client.heard.length, 0);
    while (heard() < count) await Promise.race(clients.map((client) => client.#more()));
    return clients.map((client) => client.heard.splice(0));
  }

  async succeeds() {
    const [code] = await within(this.ended, `the end of ${this.command}`);
    if (code !== 0) throw new Error(`${this.command} ended with ${code}: ${this.#complaints}`);
  }

  /** Has it send DISCONNECT and end. */
  async leave() {
    this.process.kill('SIGTERM');
    await this.succeeds();
  }

  /** Has it neither read nor write any more. */
  freeze() {
    this.process.kill('SIGSTOP');
  }

  /** Ends it without a DISCONNECT. */
  async kill() {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  #more() {
    const woken = new Promise((resolve) => (this.#wake = resolve));
    return within(woken, `a message for ${this.command}; heard ${JSON.stringify(this.heard)}`);
  }
}

export const linesOfAll = Client.linesOfAll;
