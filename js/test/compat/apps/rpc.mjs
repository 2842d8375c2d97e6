// Questions and answers over MQTT 5: response topics, correlation data, user properties.

import mqtt from 'mqtt';
import { next, settled, tell, told, url, watch } from '../program.mjs';

// Two connections: what this one sees is told at the end, by itself.
const aside = [];
const tellAside = (...values) => aside.push(values);
const server = watch(mqtt.connect(url, { protocolVersion: 5, clientId: 'rpc-server' }), 'server', tellAside);
await next(server, 'connect');
tell('serverProperties', typeof server.serverProperties, server.keepalive);
server.on('message', (topic, payload, packet) => {
  const { responseTopic, correlationData, userProperties, contentType } = packet.properties;
  tellAside('asked', topic, payload.toString(), contentType, userProperties, correlationData);
  const { a, b } = JSON.parse(payload.toString());
  server.publish(responseTopic, JSON.stringify({ sum: a + b }), {
    qos: 1,
    properties: {
      correlationData,
      contentType: 'application/json',
      payloadFormatIndicator: true,
      userProperties: { ...userProperties, by: 'server' },
    },
  });
});
await server.subscribeAsync('rpc/add', { qos: 1, properties: { userProperties: { purpose: 'adding' } } });

const client = watch(
  mqtt.connect(url, {
    protocolVersion: 5,
    clientId: 'rpc-client',
    keepalive: 17,
    properties: { sessionExpiryInterval: 60, userProperties: { app: 'rpc' }, requestResponseInformation: true },
    will: {
      topic: 'rpc/gone',
      payload: Buffer.from('lost'),
      properties: { willDelayInterval: 1, contentType: 'text/plain', userProperties: { why: 'cut' } },
    },
  }),
  'client',
);
await next(client, 'connect');
const answers = new Map();
client.on('message', (_topic, payload, { properties }) => {
  answers.get(properties.correlationData.toString())?.(JSON.parse(payload.toString()));
});
await client.subscribeAsync('rpc/answers/rpc-client', { qos: 1, nl: true, rap: false, rh: 2 });

async function add(a, b, id) {
  const answer = new Promise((resolve) => answers.set(id, resolve));
  client.publish('rpc/add', JSON.stringify({ a, b }), {
    qos: 1,
    properties: {
      responseTopic: 'rpc/answers/rpc-client',
      correlationData: Buffer.from(id),
      messageExpiryInterval: 30,
      userProperties: { trace: id, tag: ['one', 'two'] },
    },
  });
  return answer;
}
tell('answer', await add(1, 2, 'first'));
tell('answer', await Promise.all([add(3, 4, 'second'), add(5, 6, 'third')]));

client.publish('rpc/nobody', 'x', { qos: 1 }, (error, packet) => tell('to nobody', error, packet?.reasonCode));
client.subscribe('rpc/echo', { qos: 0, nl: true }, told('no local'));
await settled();
client.publish('rpc/echo', 'to others');
await settled();
client.publish('rpc/twice', 'x', { qos: 2 }, told('exactly once'));
await settled();
client.unsubscribe('rpc/never', (error, packet) => tell('unsubscribed', error, packet?.cmd));
await settled();

await client.endAsync(false, { reasonCode: 4, properties: { sessionExpiryInterval: 0 } });
await settled(100);
await server.endAsync();
for (const values of aside) tell(...values);
