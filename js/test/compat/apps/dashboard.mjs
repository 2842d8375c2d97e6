// A dashboard: retained readings, wildcards, a change of what is shown.

import mqtt from 'mqtt';
import { ask, messages, next, settled, tell, told, url, watch } from '../program.mjs';

await ask('publish', { topic: 'home/kitchen/temperature', payload: '21.5', options: { retain: true } });
await ask('publish', { topic: 'home/cellar/temperature', payload: '14', options: { retain: true, qos: 1 } });

const client = watch(mqtt.connect(url, { clientId: 'dashboard', keepalive: 30 }));
tell('at once', client.connected, client.reconnecting, client.options.clientId, client.options.keepalive, client.options.clean);

const readings = new Map();
client.on('message', (topic, payload, packet) => {
  readings.set(topic, Number.parseFloat(payload));
  tell('reading', topic, payload.length, packet.cmd, packet.qos, packet.retain, packet.dup, String(packet.payload));
});

const retained = messages(client, 2);
const subscribed = new Promise((resolve) => {
  client.on('connect', () => client.subscribe('home/+/temperature', (error, granted) => resolve([error, granted])));
});
await retained;
tell('subscribed', ...(await subscribed));
tell('readings', [...readings].sort());

const live = messages(client, 3);
for (const payload of ['22', '22.5', '']) await ask('publish', { topic: 'home/kitchen/temperature', payload });
await live;

const again = messages(client, 2);
const more = client.subscribeAsync(['home/#', 'office/#'], { qos: 2 });
await again;
tell('subscribed to more', await more);
const both = messages(client, 2);
await ask('publish', { topic: 'office/door', payload: 'öffnet ✓', options: { qos: 2 } });
await ask('publish', { topic: 'home/cellar/temperature', payload: '13', options: { qos: 1 } });
await both;

client.unsubscribe('home/#', told('unsubscribed'));
await settled();
const one = messages(client, 1);
await ask('publish', { topic: 'home/door', payload: 'nobody asked' });
await ask('publish', { topic: 'office/door', payload: 'closed' });
await one;

client.unsubscribe(['home/+/temperature', 'office/#', 'never/subscribed']);
await settled();
tell('left', await ask('subscriptions'));

client.end(told('ended'));
await next(client, 'close');
await settled();
tell('afterwards', client.connected, client.reconnecting);
