// A client of MQTT 5 that hears every answer, and can say what no library would let it: for tests of what must be refused.

import { connect, packet, PINGREQ, puback, publish, Splitter, text } from '../attack/packets.mjs';
import { openWebSocket } from '../attack/web-socket.mjs';

/** Opens a WebSocket to `path` and connects; rejects with the Reason Code of CONNACK when it is not let in. */
export async function connectTo(port, path, clientId, options = {}) {
  const client = new SecurityClient();
  await client.open(port, path, options.headers);
  client.send(connect(clientId, options));
  const { content } = await client.answer(CONNACK);
  client.sessionPresent = (content[0] & 1) === 1;
  if (content[1] !== 0) throw Object.assign(new Error(`not let in: 0x${content[1].toString(16)}`), { reason: content[1] });
  return client;
}

export class SecurityClient {
  /** Every message that came, in order. */
  messages = [];
  /** The Reason Code of the server's DISCONNECT, if one came. */
  reason;
  sessionPresent;
  #socket;
  #answers = [];
  #waiting = [];

  /** Opens a WebSocket and says nothing. */
  async open(port, path, headers) {
    const splitter = new Splitter((first, content) => this.#hear(first, content));
    let closed;
    this.closed = new Promise((resolve) => (closed = resolve));
    this.#socket = await openWebSocket(port, path, { headers, received: (bytes) => splitter.push(bytes), closed });
    this.closed.then(() => this.#waiting.splice(0).forEach(({ reject }) => reject(new Error(`closed, with 0x${this.reason?.toString(16)}`))));
  }

  get isOpen() {
    return this.#socket.isOpen;
  }

  /** The WebSocket itself. */
  get socket() {
    return this.#socket;
  }

  send(bytes) {
    this.#socket.send(bytes);
  }

  /** The Reason Code of SUBACK. */
  async subscribe(filter, qos = 1) {
    this.send(packet(0x82, [Buffer.from([0, 1, 0]), text(filter), Buffer.from([qos])]));
    const { content } = await this.answer(SUBACK);
    return content.at(-1);
  }

  /** Publishes; the Reason Code of PUBACK at QoS 1. */
  async publish(topic, payload, { qos = 1, retain = false } = {}) {
    this.send(publish(topic, Buffer.from(payload), { qos, id: 7, retain }));
    if (qos === 0) return undefined;
    const { content } = await this.answer(PUBACK);
    return content[2] ?? 0;
  }

  /** Resolves when the server has dealt with all that was sent, and all has come that it had to say by then. */
  async settled() {
    this.send(PINGREQ);
    await this.answer(PINGRESP);
  }

  /** The next packet of this type that is no PUBLISH. */
  answer(type) {
    const at = this.#answers.findIndex(({ first }) => first >> 4 === type);
    if (at >= 0) return Promise.resolve(this.#answers.splice(at, 1)[0]);
    if (!this.isOpen) return Promise.reject(new Error(`closed, with 0x${this.reason?.toString(16)}`));
    return new Promise((resolve, reject) => this.#waiting.push({ type, resolve, reject }));
  }

  /** Closes the WebSocket as it should be. */
  async close() {
    this.#socket.close();
    await this.closed;
  }

  /** Goes without a word. */
  destroy() {
    this.#socket.destroy();
  }

  #hear(first, content) {
    const type = first >> 4;
    if (type === DISCONNECT) this.reason = content[0] ?? 0;
    if (type === PUBLISH) return this.#receive(first, content);
    const at = this.#waiting.findIndex((waiting) => waiting.type === type);
    if (at < 0) this.#answers.push({ first, content: Buffer.from(content) });
    else this.#waiting.splice(at, 1)[0].resolve({ first, content: Buffer.from(content) });
  }

  #receive(first, content) {
    const qos = (first >> 1) & 3;
    const end = 2 + content.readUInt16BE(0);
    const begin = end + (qos ? 2 : 0);
    if (qos === 1) this.send(puback(content.readUInt16BE(end)));
    // No message here has properties of more than 127 bytes.
    const payload = content.subarray(begin + 1 + content[begin]).toString();
    this.messages.push({ topic: content.subarray(2, end).toString(), payload, qos, retain: (first & 1) === 1 });
  }
}

const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;
const PINGRESP = 13;
const DISCONNECT = 14;
