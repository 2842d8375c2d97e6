// Clients outside the tab that the broker is in: what they remember outlives the page, and each of their packets can be the last.
import mqttPacket from 'mqtt-packet';

/** A client with a session that outlives its connections, which keeps the rules of MQTT 5 for QoS 1 and 2. */
export class Device {
  /** Payloads that the broker has acknowledged, and those that this client was given, in order. */
  acknowledged = [];
  delivered = [];
  /** Called with each packet, `>` when it is sent and `<` when it came; what it returns is done instead. */
  watch = () => undefined;
  #clientId;
  #tab;
  #connection;
  #inFlight = new Map();
  /** Packet Identifiers whose messages were delivered and are not released. */
  #received = new Set();
  #lastId = 0;
  #isKnown = false;
  #waiting = [];
  #failure;

  constructor(clientId) {
    this.#clientId = clientId;
  }

  /** Connects with Clean Start 0, and sends again what is not acknowledged. */
  async connect(tab) {
    this.#tab = tab;
    const parser = mqttPacket.parser(VERSION);
    parser.on('packet', (packet) => this.#hear(packet));
    this.isConnected = false;
    const connection = await tab.join((bytes) => {
      if (bytes) parser.parse(bytes);
      else if (this.#connection === connection) this.#fail(`The broker closed the connection of ${this.#clientId}.`);
    });
    this.#connection = connection;
    this.#say({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: this.#clientId, clean: false, keepalive: 0, properties: { sessionExpiryInterval: 3600 } });
    await this.until(() => this.isConnected);
    for (const packet of this.#inFlight.values()) this.#say(packet);
  }

  /** Nothing is sent or heard until the client connects again. */
  cut() {
    this.#connection = undefined;
  }

  /** Says goodbye; the session stays. */
  disconnect() {
    this.#say({ cmd: 'disconnect', reasonCode: 0 });
    this.cut();
  }

  subscribe(topic, qos) {
    this.#say({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
    return this.until(() => this.isSubscribed);
  }

  /** Resolves when it is sent, or is the first thing to be sent when the client connects again. */
  async publish(topic, payload, qos) {
    await this.until(() => this.#inFlight.size < RECEIVE_MAXIMUM);
    const messageId = (this.#lastId += 1);
    const packet = { cmd: 'publish', topic, payload, qos, messageId };
    this.#inFlight.set(messageId, { ...packet, dup: true });
    this.#say(packet);
  }

  /** Whether nothing is on its way, as far as this client knows. */
  get isSettled() {
    return this.#inFlight.size === 0 && this.#received.size === 0;
  }

  /** Resolves when the condition holds, which only packets change. */
  async until(condition) {
    while (!this.#failure && !condition()) await new Promise((resolve) => this.#waiting.push(resolve));
    if (this.#failure) throw this.#failure;
  }

  #say(packet) {
    if (!this.#connection) return;
    const end = this.watch(`>${packet.cmd}`, packet);
    this.#tab.say(this.#connection, mqttPacket.generate(packet, VERSION), end);
  }

  #hear(packet) {
    if (!this.#connection) return;
    const end = this.watch(`<${packet.cmd}`, packet);
    // What comes after it may have come with it.
    if (end) this.cut();
    if (end === 'lost') return;
    this.#answer(packet);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #answer({ cmd, messageId, qos, dup, payload, reasonCode, sessionPresent }) {
    // Of a PUBREL that comes again, the broker may know the end already.
    const isOver = cmd === 'pubcomp' && reasonCode === PACKET_IDENTIFIER_NOT_FOUND;
    if (reasonCode >= 0x80 && !isOver) this.#fail(`${this.#clientId} was told 0x${reasonCode.toString(16)} by ${cmd}.`);
    switch (cmd) {
      case 'connack':
        if (sessionPresent !== this.#isKnown) this.#fail(`The session of ${this.#clientId} ${sessionPresent ? 'is still there' : 'is lost'}.`);
        this.#isKnown = true;
        this.isConnected = true;
        break;
      case 'suback':
        this.isSubscribed = true;
        break;
      case 'publish':
        if (qos < 2 || !this.#received.has(messageId)) this.delivered.push(String(payload));
        else if (!dup) this.#fail(`A message came again without DUP to ${this.#clientId}.`);
        if (qos === 2) this.#received.add(messageId);
        this.#say({ cmd: qos === 2 ? 'pubrec' : 'puback', messageId });
        break;
      case 'pubrel':
        this.#received.delete(messageId);
        this.#say({ cmd: 'pubcomp', messageId });
        break;
      case 'pubrec':
        this.#acknowledge(messageId);
        this.#inFlight.set(messageId, { cmd: 'pubrel', messageId });
        this.#say({ cmd: 'pubrel', messageId });
        break;
      case 'puback':
        this.#acknowledge(messageId);
        this.#inFlight.delete(messageId);
        break;
      case 'pubcomp':
        this.#inFlight.delete(messageId);
    }
  }

  /** Who waits for this client waits no longer. */
  #fail(why) {
    this.cut();
    this.#failure ??= new Error(why);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #acknowledge(messageId) {
    const { cmd, payload } = this.#inFlight.get(messageId) ?? {};
    if (cmd === 'publish') this.acknowledged.push(payload);
  }
}

/** Fewer than what the broker says. */
const RECEIVE_MAXIMUM = 100;
/** A Reason Code. */
const PACKET_IDENTIFIER_NOT_FOUND = 0x92;
const VERSION = { protocolVersion: 5 };
