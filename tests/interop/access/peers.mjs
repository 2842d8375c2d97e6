// Who tries to get in: MQTT.js, and mosquitto's clients as they come from Debian.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import mqtt from 'mqtt';

/** What the versions say instead of Reason Codes. */
const RETURN_CODES = { 0x85: 2, 0x86: 4, 0x87: 5, 0x9f: 3 };

/** The versions of MQTT. */
export const VERSIONS = { '5.0': 5, '3.1.1': 4 };

export class Peers {
  #host;

  constructor(host) {
    this.#host = host;
  }

  /** A client of MQTT.js that is let in, while `body` runs. */
  async letIn(options, body = async () => {}) {
    const client = await mqtt.connectAsync(options.url ?? this.#host.websocket, { protocolVersion: 5, reconnectPeriod: 0, ...options }, false);
    try {
      return await body(client);
    } finally {
      await client.endAsync(true);
    }
  }

  /** Fails unless the client is refused with this Reason Code, or what 3.1.1 says for it. */
  async refused(reason, options, what) {
    for (const [version, protocolVersion] of Object.entries(VERSIONS)) {
      const code = protocolVersion === 5 ? reason : RETURN_CODES[reason];
      await assert.rejects(this.letIn({ ...options, protocolVersion }), { code }, `${what ?? ''} (${version})`);
    }
  }

  /** What the server answers to a CONNECT. */
  async connack(options) {
    const client = mqtt.connect(this.#host.websocket, { protocolVersion: 5, reconnectPeriod: 0, ...options });
    client.on('error', () => {});
    try {
      const [{ ...packet }] = await once(client, 'packetreceive');
      return packet;
    } finally {
      await client.endAsync(true);
    }
  }

  /** Publishes once with mosquitto_pub, and resolves with its exit code and what it complained of. */
  async mosquitto(version, options) {
    const { hostname, port } = this.#host.tcp;
    const client = spawn('mosquitto_pub', ['-h', hostname, '-p', port, '-V', version, '-t', 'from/mosquitto', '-m', 'x', '-q', '1', ...options]);
    let complaints = '';
    for (const output of [client.stdout, client.stderr]) output.on('data', (text) => (complaints += text));
    const [code] = await once(client, 'close');
    return { code, complaints };
  }
}

/** The Reason Codes of a SUBSCRIBE to these filters. */
export async function granted(client, ...filters) {
  const answer = new Promise((resolve) => client.on('packetreceive', (packet) => packet.cmd === 'suback' && resolve(packet)));
  client.subscribe(filters, { qos: 2 }, () => {});
  const { granted } = await answer;
  return granted;
}

/** The Reason Code of a PUBLISH. */
export async function published(client, topic, options = {}) {
  try {
    const packet = await client.publishAsync(topic, 'x', { qos: 1, ...options });
    return packet?.reasonCode ?? 0;
  } catch (error) {
    return error.code;
  }
}

/** What a request to open a WebSocket is answered with. */
export async function upgrade(websocket, headers = {}, query = '') {
  const url = new URL(websocket.replace(/^ws/, 'http') + query);
  const asked = request(url, {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'mqtt',
      ...headers,
    },
  }).end();
  const [response] = await Promise.race([once(asked, 'response'), once(asked, 'upgrade')]);
  const { statusCode } = response;
  if (statusCode === 101) return response.socket.destroy(), { statusCode, text: '' };
  return { statusCode, text: (await response.toArray()).join('') };
}
