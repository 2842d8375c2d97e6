// MQTT.js clients for one scenario, with topics and client ids that no other scenario uses.

const PATIENCE_MILLIS = 15_000;

/** The clients of one scenario. */
export class MqttClients {
  #connect;
  #version;
  #open = [];
  #name = Math.random().toString(36).slice(2, 12);

  constructor(connect, version) {
    this.#connect = connect;
    this.#version = version;
  }

  /** Runs `body` with clients, and closes them all whatever happened. */
  static async use(connect, version, body) {
    const clients = new MqttClients(connect, version);
    try {
      await body(clients);
    } finally {
      await Promise.all(clients.#open.map((client) => client.close()));
    }
  }

  /** The topic as it goes over the wire. */
  topic(name) {
    return `${this.#name}/${name}`;
  }

  /** A connected client. `session` keeps its session for five minutes; the other options are MQTT.js's own. */
  async open({ session = false, will, properties = {}, ...options } = {}) {
    const client = this.#connect({
      protocolVersion: this.#version,
      clientId: `${this.#name}-${this.#open.length}`,
      clean: !session,
      reconnectPeriod: 0,
      resubscribe: false,
      ...(will && { will: { ...will, topic: this.topic(will.topic) } }),
      ...(this.#version === 5 && { properties: { ...properties, ...(session && { sessionExpiryInterval: 300 }) } }),
      ...options,
    });
    const opened = new Client(client, this);
    this.#open.push(opened);
    await opened.connected();
    return opened;
  }
}

/** One MQTT.js client and what it has heard. */
class Client {
  /** Whether it acknowledges nothing: then MQTT.js reads no further than the first message that it should. */
  isSilent = false;
  #mqtt;
  #clients;
  #heard = [];
  #wake = () => {};

  constructor(mqtt, clients) {
    this.#mqtt = mqtt;
    this.#clients = clients;
    // As an option MQTT.js takes it for MQTT 5 alone.
    mqtt.options.customHandleAcks = (...[, , , acknowledge]) => this.isSilent || acknowledge(0);
    mqtt.on('error', () => {}); // a failed connection closes, and that is what a scenario sees
    mqtt.on('message', (topic, payload, { qos, retain, dup, properties }) => {
      const name = topic.slice(clients.topic('').length);
      const extras = { ...(dup && { dup }), ...(properties && { properties }) };
      this.#heard.push({ topic: name, payload: payload.toString(), qos, retain, ...extras });
      this.#wake();
    });
  }

  get clientId() {
    return this.#mqtt.options.clientId;
  }

  get sessionPresent() {
    return this.connack.sessionPresent;
  }

  async connected() {
    const refused = this.event('close').then(() => Promise.reject(new Error(`${this.clientId} was not let in`)));
    this.connack = await Promise.race([this.event('connect'), refused]);
    refused.catch(() => {});
  }

  /** Publishes, and waits for the acknowledgement if there is one. */
  publish(topic, payload, options = {}) {
    const published = this.#mqtt.publishAsync(this.#clients.topic(topic), payload, options);
    return within(published, `the acknowledgement of ${topic}`);
  }

  /** Subscribes and checks that all was granted; with `share`, as a member of that group. */
  async subscribe(filter, { qos = 0, share, properties, ...options } = {}) {
    const topic = `${share ? `$share/${share}/` : ''}${this.#clients.topic(filter)}`;
    const subscribed = this.#mqtt.subscribeAsync(topic, { qos, ...options, ...(properties && { properties }) });
    equal((await within(subscribed, `the SUBACK of ${filter}`)).map((grant) => grant.qos), [qos]);
  }

  unsubscribe(filter) {
    return within(this.#mqtt.unsubscribeAsync(this.#clients.topic(filter)), `the UNSUBACK of ${filter}`);
  }

  /** The next message. */
  async message() {
    if (this.#heard.length === 0) {
      const woken = new Promise((resolve) => {
        this.#wake = resolve;
      });
      await within(woken, `a message for ${this.clientId}`);
    }
    return this.#heard.shift();
  }

  async messages(count) {
    const heard = [];
    while (heard.length < count) heard.push(await this.message());
    return heard;
  }

  async messagesBefore(topic) {
    const heard = [];
    for (let next = await this.message(); next.topic !== topic; next = await this.message()) heard.push(next);
    return heard;
  }

  /** Has `publisher` send one more message, to a topic that this client hears: it is the next one. */
  async hearsNothingBefore(publisher, topic, options) {
    const payload = `the end of ${topic}`;
    await publisher.publish(topic, payload, options);
    equal([(await this.message()).payload, this.#heard.length], [payload, 0]);
  }

  /** What MQTT.js emits next under this name and with such an argument. */
  event(name, wanted = () => true) {
    const emitted = new Promise((resolve) => {
      const listener = (argument) => {
        if (!wanted(argument)) return;
        this.#mqtt.off(name, listener);
        resolve(argument);
      };
      this.#mqtt.on(name, listener);
    });
    return within(emitted, `'${name}' of ${this.clientId}`);
  }

  /** A list that fills with the packets of one kind, as they went over the wire. */
  packets(direction, kind) {
    const packets = [];
    this.#mqtt.on(direction, (packet) => packet.cmd === kind && packets.push({ ...packet }));
    return packets;
  }

  /** Ends the connection without a DISCONNECT. */
  async cut() {
    const closed = this.event('close');
    this.#mqtt.stream.destroy();
    await closed;
  }

  /** Ends it when the next packet of this kind passes; resolves once it is closed. */
  cutAt(direction, kind) {
    this.event(direction, (packet) => packet.cmd === kind && this.#mqtt.stream.destroy());
    return this.event('close');
  }

  /** Sends bytes that MQTT.js would not. */
  write(bytes) {
    this.#mqtt.stream.write(new Uint8Array(bytes));
  }

  /** Connects again, with what it has not finished. */
  async reconnect() {
    const { incomingStore, outgoingStore } = this.#mqtt;
    this.#mqtt.reconnect({ incomingStore, outgoingStore });
    await this.connected();
  }

  /** Sends DISCONNECT and waits until the connection is closed. */
  end() {
    return within(this.#mqtt.endAsync(), `the end of ${this.clientId}`);
  }

  close() {
    return within(this.#mqtt.endAsync(true), `the end of ${this.clientId}`);
  }
}

export function payloads(messages) {
  return messages.map(({ payload }) => payload);
}

export function assert(condition, message) {
  if (!condition) throw new Error(message);
}

/** Equality as JSON shows it. */
export function equal(actual, expected) {
  const [found, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  assert(found === wanted, `expected ${wanted}\n     found ${found}`);
}

/** Rejects when the promise keeps nobody waiting any longer than a person would. */
export function within(promise, what) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE_MILLIS);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
