// A client that says and hears bytes, written as hexadecimal digits.

/** Opens `url` with the subprotocol mqtt. */
export async function open(url) {
  const socket = new WebSocket(url, 'mqtt');
  socket.binaryType = 'arraybuffer';
  const client = new RawClient(socket);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = ({ message }) => reject(new Error(`${url} did not open: ${message}`));
  });
  return client;
}

/** Opens `url` and connects with MQTT 3.1.1: `will`, if there is one, is published to the topic `will` at QoS 0. */
export async function connect(url, { clientId = 'raw', keepAlive = 0, will } = {}) {
  const client = await open(url);
  const flags = will === undefined ? '02' : '06';
  client.send(packet('10', `${text('MQTT')}04${flags}${number(keepAlive)}${text(clientId)}${will === undefined ? '' : text('will') + text(will)}`));
  await client.hears('20020000');
  return client;
}

/** SUBSCRIBE to `filter` at QoS 0, with Packet Identifier 1. */
export const subscribe = (filter) => packet('82', `0001${text(filter)}00`);

/** PUBLISH at QoS 0. */
export const publish = (topic, payload) => packet('30', text(topic) + Buffer.from(payload).toString('hex'));

/** A packet of less than 128 bytes behind its fixed header. */
export const packet = (type, rest) => `${type}${(rest.length / 2).toString(16).padStart(2, '0')}${rest}`;

/** A UTF-8 Encoded String. */
export const text = (value) => number(Buffer.byteLength(value)) + Buffer.from(value).toString('hex');

const number = (value) => value.toString(16).padStart(4, '0');

class RawClient {
  #socket;
  #heard = '';
  #waiting = () => {};

  /** How many WebSocket messages it has heard. */
  messages = 0;

  /** How many bytes of MQTT it has sent. */
  sent = 0;

  /** The code and reason with which the WebSocket closed. */
  closed;

  constructor(socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (data.byteLength === 0) throw new Error('An empty WebSocket message came.');
      this.messages += 1;
      this.#heard += Buffer.from(data).toString('hex');
      this.#waiting();
    };
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
  }

  /** Sends one binary WebSocket message. */
  send(hex) {
    this.sent += hex.length / 2;
    this.#socket.send(Buffer.from(hex, 'hex'));
  }

  /** Sends one text WebSocket message. */
  sendText(string) {
    this.#socket.send(string);
  }

  /** Resolves when the next bytes heard are `hex`; fails on other bytes and when the WebSocket closes first. */
  async hears(hex) {
    await this.#until(() => this.#heard.length >= hex.length || !hex.startsWith(this.#heard));
    if (!this.#heard.startsWith(hex)) throw new Error(`Heard "${this.#heard}" instead of ${hex}.`);
    this.#take(hex.length);
  }

  /** The next packet heard, of less than 128 bytes behind its fixed header; fails when the WebSocket closes first. */
  async packet() {
    const length = () => 4 + 2 * Number.parseInt(this.#heard.slice(2, 4), 16);
    await this.#until(() => this.#heard.length >= length());
    if (!(this.#heard.length >= length())) throw new Error(`Heard "${this.#heard}" instead of a packet.`);
    return this.#take(length());
  }

  /** Closes the WebSocket. */
  close() {
    this.#socket.close();
    return this.closed;
  }

  /** Waits for `enough` or the end. The limit is far from what anything here takes: it turns a hang into a failure. */
  async #until(enough) {
    let limit;
    await Promise.race([
      new Promise((resolve) => {
        this.#waiting = () => enough() && resolve();
        this.#waiting();
      }),
      this.closed,
      new Promise((resolve) => (limit = setTimeout(resolve, 20_000))),
    ]);
    clearTimeout(limit);
  }

  #take(length) {
    const taken = this.#heard.slice(0, length);
    this.#heard = this.#heard.slice(length);
    return taken;
  }
}
