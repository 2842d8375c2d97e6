// The same things with callbacks, with promises and without either.

import mqtt, { connect, connectAsync } from 'mqtt';
import { messages, next, outcome, settled, tell, told, url, watch } from '../program.mjs';

tell('names', typeof mqtt.connect, typeof mqtt.connectAsync, typeof mqtt.MqttClient, mqtt.connect === connect, mqtt.Client === mqtt.MqttClient);

const client = watch(await connectAsync(url, { clientId: 'styles' }));
tell('an instance', client instanceof mqtt.MqttClient, client.connected, client.disconnecting);

await outcome('subscribeAsync', client.subscribeAsync('styles/a'));
await outcome('subscribeAsync list', client.subscribeAsync(['styles/b', 'styles/c'], { qos: 1 }));
await outcome('subscribeAsync map', client.subscribeAsync({ 'styles/d': { qos: 2 }, 'styles/e': { qos: 0 } }));
await outcome('subscribeAsync again', client.subscribeAsync('styles/a', { qos: 2 }));
await outcome('subscribeAsync the same again', client.subscribeAsync('styles/a', { qos: 2 }));
await outcome('subscribeAsync the same and another', client.subscribeAsync(['styles/a', 'styles/a2'], { qos: 1 }));
const four = messages(client, 4);
await outcome('publishAsync 0', client.publishAsync('styles/a', 'p0'));
await outcome('publishAsync 1', client.publishAsync('styles/b', 'p1', { qos: 1 }));
await outcome('publishAsync 2', client.publishAsync('styles/d', 'p2', { qos: 2 }));
await outcome('publishAsync retained', client.publishAsync('styles/e', 'p3', { retain: true }));
tell('four', await four);
await outcome('unsubscribeAsync', client.unsubscribeAsync('styles/a'));
await outcome('unsubscribeAsync list', client.unsubscribeAsync(['styles/b', 'styles/never']));

client.subscribe('styles/callback', told('subscribe'));
client.subscribe('styles/callback/1', { qos: 1 }, told('subscribe with options'));
await settled();
client.publish('styles/callback', 'one', told('publish'));
client.publish('styles/callback/1', 'two', { qos: 1 }, told('publish with options'));
await settled();
client.publish('styles/callback', new Uint8Array([0xe2, 0x9c, 0x93]));
await settled();
client.unsubscribe('styles/callback', told('unsubscribe'));
await settled();

tell(
  'chained',
  client.subscribe('styles/f') === client,
  client.publish('styles/g', 'x') === client,
  client.unsubscribe('styles/f') === client,
  client.on('styles', () => {}) === client,
);
await settled();

const heard = [];
const listener = (_topic, payload) => heard.push(payload.toString());
client.on('message', listener).once('message', () => heard.push('once')).prependListener('message', () => heard.push('before'));
tell('listeners', client.listenerCount('message'), client.listeners('message').includes(listener));
const two = messages(client, 2);
client.publish('styles/d', '1').publish('styles/d', '2');
await two;
client.removeListener('message', listener);
client.removeAllListeners('message');
tell('heard', heard, client.listenerCount('message'), client.emit('nobody listens'), client.emit('styles'));

await outcome('endAsync', client.endAsync());
tell('ended', client.connected, client.disconnecting);

const second = watch(connect({ host: '127.0.0.1', port: new URL(url).port, protocol: 'ws', path: '/by-parts', clientId: 'parts' }), 'second');
await next(second, 'connect');
second.end();
await next(second, 'close');
await settled();
