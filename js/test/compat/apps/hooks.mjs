// What an application can put between: addresses and WebSockets of its own, fresh credentials, a slow consumer.

import mqtt from 'mqtt';
import { WebSocket } from 'ws';
import { ask, messages, next, settled, tell, told, url, watch } from '../program.mjs';

let attempts = 0;
const signed = watch(
  mqtt.connect(`${url}signed`, {
    clientId: 'signed',
    reconnectPeriod: 30,
    transformWsUrl: (address, options, client) => {
      attempts += 1;
      client.options.username = `attempt ${attempts}`;
      tell('transformWsUrl', new URL(address).pathname, options.clientId, options === client.options);
      return `${address}?attempt=${attempts}`;
    },
  }),
);
await next(signed, 'connect');
const back = next(signed, 'connect');
await ask('cut');
await back;
await signed.endAsync();

const made = watch(
  mqtt.connect(url, {
    clientId: 'made',
    createWebsocket: (address, protocols, options) => {
      tell('createWebsocket', new URL(address).pathname, protocols, options.clientId);
      return new WebSocket(address, protocols);
    },
  }),
  'made',
);
await next(made, 'connect');
await made.subscribeAsync('made/#', { qos: 1 });
const handled = [];
made.handleMessage = (packet, callback) => {
  tell('handleMessage', packet.topic, String(packet.payload), packet.qos);
  setTimeout(() => {
    handled.push(String(packet.payload));
    callback();
  }, 20);
};
const three = messages(made, 3);
for (const payload of ['1', '2', '3']) await ask('publish', { topic: 'made/slow', payload, options: { qos: 1 } });
await three;
await settled(100);
tell('handled', handled);
made.publish('made/id', 'x', { qos: 1, cbStorePut: () => tell('stored') });
tell('identifiers', made.getLastMessageId() > 0);
await settled(100);
await made.endAsync();

const away = mqtt.connect({
  servers: [1, Number(new URL(url).port)].map((port) => ({ host: '127.0.0.1', port, protocol: 'ws' })),
  clientId: 'away',
  reconnectPeriod: 30,
});
away.on('error', (error) => tell('the first server', typeof error.message));
await next(away, 'connect');
tell('the second server', away.connected);
await away.endAsync();

const removed = mqtt.connect(url, { clientId: 'removed', manualConnect: true });
removed.publish('removed', 'x', { qos: 1 }, told('removed'));
removed.removeOutgoingMessage(removed.getLastMessageId());
const early = [
  removed.subscribeAsync('removed/#'),
  removed.subscribeAsync('removed/again'),
  removed.unsubscribeAsync('removed/again').then(({ cmd }) => cmd),
];
removed.connect();
await next(removed, 'connect');
tell('asked before it was to connect', ...(await Promise.all(early)));
removed.subscribe('removed/+/x', { qos: 1 }, told('subscribed afterwards'));
await settled();
await removed.endAsync();
