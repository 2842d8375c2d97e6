// A client of MQTT 3.1.1 with a session of its own, which it keeps when the connection breaks: it resends as the standard says.

import { open, packet, text } from './raw-client.mjs';

export class PersistentClient {
  /** How often each payload came, by the rules of its QoS. */
  received = new Map();
  /** The payloads that the broker has taken: with PUBACK, or with PUBREC. */
  acknowledged = new Set();
  /** Called after each packet that was heard. */
  heard = () => {};
  #clientId;
  #client;
  #lastId = 0;
  /** What is not acknowledged, by Packet Identifier: PUBLISH or PUBREL. */
  #unacknowledged = new Map();
  /** Packet Identifiers of QoS 2 messages that came and were not released. */
  #unreleased = new Set();

  constructor(clientId) {
    this.#clientId = clientId;
  }

  get inFlight() {
    return this.#unacknowledged.size;
  }

  /** Connects, and sends again what is not acknowledged. Resolves with whether the broker knew the session. */
  async connect(url) {
    const client = await open(url);
    client.send(packet('10', `${text('MQTT')}04000000${text(this.#clientId)}`));
    const connack = await client.packet();
    this.#client = client;
    for (const { hex } of this.#unacknowledged.values()) client.send(hex.replace(/^3[24]/, (type) => (type === '32' ? '3a' : '3c')));
    this.listening = this.#listen(client);
    return connack === '20020100';
  }

  /** Subscribes to `filter`; resolves when that is granted. */
  subscribe(filter, qos) {
    this.#client.send(packet('82', `ffff${text(filter)}0${qos}`));
    return new Promise((resolve) => (this.subscribed = resolve));
  }

  publish(topic, payload, qos) {
    do this.#lastId = (this.#lastId % 60_000) + 1;
    while (this.#unacknowledged.has(this.#lastId));
    const id = this.#lastId.toString(16).padStart(4, '0');
    const hex = packet(qos === 1 ? '32' : '34', text(topic) + id + Buffer.from(payload).toString('hex'));
    this.#unacknowledged.set(this.#lastId, { hex, payload });
    this.#client.send(hex);
  }

  close() {
    return this.#client.close();
  }

  /** Hears until the connection breaks. */
  async #listen(client) {
    for (;;) {
      const heard = await client.packet().catch(() => undefined);
      if (heard === undefined) return;
      this.#hear(client, heard);
      this.heard();
    }
  }

  #hear(client, heard) {
    const id = Number.parseInt(heard.slice(4, 8), 16);
    switch (heard[0]) {
      case '3':
        return this.#take(client, heard);
      case '4':
      case '7':
        this.acknowledged.add(this.#unacknowledged.get(id)?.payload);
        return this.#unacknowledged.delete(id);
      case '5': {
        const { payload } = this.#unacknowledged.get(id);
        this.acknowledged.add(payload);
        const hex = `6202${heard.slice(4)}`;
        this.#unacknowledged.set(id, { hex, payload });
        return client.send(hex);
      }
      case '6':
        this.#unreleased.delete(id);
        return client.send(`7002${heard.slice(4)}`);
      case '9':
        return this.subscribed();
      default:
        throw new Error(`Heard ${heard}.`);
    }
  }

  #take(client, heard) {
    const end = 8 + 2 * Number.parseInt(heard.slice(4, 8), 16);
    const hex = heard.slice(end, end + 4);
    const id = Number.parseInt(hex, 16);
    const isQoS1 = (Number.parseInt(heard[1], 16) & 6) === 2;
    if (isQoS1 || !this.#unreleased.has(id)) {
      const payload = Buffer.from(heard.slice(end + 4), 'hex').toString();
      this.received.set(payload, (this.received.get(payload) ?? 0) + 1);
    }
    if (!isQoS1) this.#unreleased.add(id);
    client.send(`${isQoS1 ? '40' : '50'}02${hex}`);
  }
}
