// A device: a will, QoS 1 and 2, a connection that is cut again and again.

import mqtt from 'mqtt';
import { ask, next, messages, settled, tell, told, url, watch } from '../program.mjs';

const client = watch(
  mqtt.connect(`${url}mqtt`, {
    clientId: 'device-7',
    username: 'device',
    password: 'secret',
    reconnectPeriod: 50,
    will: { topic: 'devices/7/status', payload: 'gone', qos: 1, retain: true },
  }),
  'device',
);
client.on('connect', ({ cmd, sessionPresent, returnCode }) => {
  tell('connack', cmd, sessionPresent, returnCode);
  client.publish('devices/7/status', 'here', { qos: 1, retain: true });
});
client.subscribe('devices/7/commands/#', { qos: 1 }, told('subscribed before there was a connection'));

await next(client, 'connect');
await settled();
const command = messages(client, 2);
await ask('publish', { topic: 'devices/7/commands/led', payload: 'on', options: { qos: 2 } });
await ask('publish', { topic: 'devices/7/commands/fan/speed', payload: new Array(500).fill('x').join('') });
tell('commands', (await command).map((text) => text.length));

for (const qos of [0, 1, 2]) {
  await new Promise((resolve) => {
    client.publish(`devices/7/data/${qos}`, Buffer.from([0x30 + qos]), { qos }, (error, packet) => {
      tell('data published', qos, error, packet);
      resolve();
    });
  });
}

for (const round of [1, 2]) {
  const back = next(client, 'connect');
  const closed = next(client, 'close');
  await ask('cut');
  await closed;
  tell('while it is away', client.connected, client.reconnecting);
  client.publish('devices/7/data/queued', `round ${round}, at most once`, told('queued, at most once'));
  client.publish('devices/7/data/queued', `round ${round}, at least once`, { qos: 1 }, told('queued, at least once'));
  client.publish('devices/7/data/queued', `round ${round}, exactly once`, { qos: 2 }, told('queued, exactly once'));
  await back;
  tell('it is back', client.connected, client.reconnecting);
  await settled();
  const again = messages(client, 1);
  await ask('publish', { topic: 'devices/7/commands/led', payload: `round ${round}`, options: { qos: 1 } });
  await again;
}

client.end(false, told('ended'));
await next(client, 'end');
await settled();
