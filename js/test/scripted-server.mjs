// A server that says what a test has it say, packet by packet, and nothing by itself.

import assert from 'node:assert/strict';
import mqttPacket from 'mqtt-packet';
import { connect } from 'mqlite';
import { until } from './support.mjs';

/** The servers that a client is led to, one connection after the other. */
export class ScriptedServer {
  #connections = [];

  /** What a client connects to. */
  server = () => {
    const connection = new Connection();
    this.#connections.push(connection);
    return connection.transport;
  };

  /** A client, and its first connection: accepted with these properties. */
  async connect(properties = {}, options = {}) {
    const connecting = connect(this.server, { reconnect: { minimumDelayMillis: 1, maximumDelayMillis: 1 }, ...options });
    const connection = await this.accept(properties, { protocolVersion: options.protocolVersion });
    const client = await connecting;
    return [client, connection];
  }

  /** The next connection, whose CONNECT is accepted with these properties. */
  async accept(properties = {}, { sessionPresent = false, protocolVersion = 5 } = {}) {
    const connection = await this.next();
    connection.protocolVersion = protocolVersion;
    connection.say({ cmd: 'connack', sessionPresent, reasonCode: 0, returnCode: 0, properties });
    return connection;
  }

  /** The next connection, whose CONNECT was heard and has no answer yet. */
  async next() {
    await until(() => this.#connections.length > 0);
    const connection = this.#connections.shift();
    connection.connect = await connection.hear('connect');
    return connection;
  }
}

/** One connection, as the server has it. Packets look as those of mqtt-packet. */
class Connection {
  protocolVersion = 5;
  /** What the client asked for at first. */
  connect;
  transport = {
    onmessage: null,
    onclose: null,
    send: (bytes) => this.#parser.parse(Buffer.from(bytes)),
    close: () => (this.isClosed = true),
  };
  /** Whether the client has closed it. */
  isClosed = false;
  #heard = [];
  #parser = mqttPacket.parser({ protocolVersion: 5 });

  constructor() {
    this.#parser.on('packet', (packet) => this.#heard.push(packet));
  }

  say(...packets) {
    for (const packet of packets) this.sayAtOnce(packet);
  }

  /** Says all packets in one message. */
  sayAtOnce(...packets) {
    const { protocolVersion } = this;
    const data = new Uint8Array(Buffer.concat(packets.map((packet) => mqttPacket.generate(packet, { protocolVersion }))));
    this.transport.onmessage?.({ data });
  }

  /** The next packet, which must be of this kind. */
  async hear(cmd) {
    const packet = await this.hearAny();
    assert.equal(packet.cmd, cmd);
    return packet;
  }

  /** The next packet. */
  async hearAny() {
    await until(() => this.#heard.length > 0);
    return this.#heard.shift();
  }

  /** Takes the next SUBSCRIBE, which has one filter, and grants it. */
  async grant(qos = 0) {
    const packet = await this.hear('subscribe');
    this.say({ cmd: 'suback', messageId: packet.messageId, granted: [qos] });
    return packet;
  }

  /** The next PUBLISHes, in one word each: topic, QoS and what stands out. */
  async hearPublishes(count) {
    const publishes = [];
    while (publishes.length < count) publishes.push(inShort(await this.hear('publish')));
    return publishes;
  }

  /** Publishes this as the client, and checks that nothing was sent between what was heard before and this. */
  async hearNothingBefore(client) {
    await client.publish('marker', '');
    assert.equal((await this.hear('publish')).topic, 'marker');
  }

  /** The connection is lost. */
  cut() {
    this.transport.onclose?.();
  }
}

function inShort({ topic, qos, dup, retain, messageId }) {
  return [topic, `QoS ${qos}`, ...(messageId ? [`id ${messageId}`] : []), ...(dup ? ['dup'] : []), ...(retain ? ['retain'] : [])].join(', ');
}
