// MQTT.js at a host of the contract, as a user that is there for it.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import mqtt from 'mqtt';

/** Adds a user who may do all, and `$SYS` too. */
export async function addUser(caller, name = `user-${randomUUID()}`, more = {}) {
  const password = randomUUID();
  const body = JSON.stringify({ password, grants: [{ filter: '#' }, { filter: '$SYS/#' }], ...more });
  const { status, text } = await caller.call('PUT', `/users/${encodeURIComponent(name)}`, { headers: { 'Content-Type': 'application/json' }, body });
  if (status !== 204) throw new Error(text);
  return { username: name, password };
}

/** A client that is connected. */
export async function connected(host, options) {
  const client = mqtt.connect(host.websocket, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  const [happened] = await Promise.race([
    once(client, 'connect').then(() => ['connect']),
    once(client, 'close').then(() => ['close']),
  ]);
  if (happened === 'close') throw new Error('The server closed the connection.');
  return client;
}

/** A client that has subscribed: `takes(count)` resolves with so many messages, in order. */
export async function subscriber(caller, host, filter, { qos = 1, ...options } = {}) {
  const client = await connected(host, { ...(await addUser(caller)), ...options });
  const received = [];
  let wake = () => {};
  client.on('message', (topic, payload, packet) => {
    received.push({ topic, payload, ...packet });
    wake();
  });
  await client.subscribeAsync(filter, { qos });
  return {
    client,
    async takes(count) {
      while (received.length < count) await new Promise((resolve) => (wake = resolve));
      return received.splice(0, count);
    },
    end: () => client.endAsync(true),
  };
}
