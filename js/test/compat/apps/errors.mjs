// What goes wrong: refused connections and subscriptions, wrong names, a client that has ended, or ends too early.

import mqtt from 'mqtt';
import { next, outcome, settled, tell, told, url, watch } from '../program.mjs';

for (const protocolVersion of [4, 5]) {
  tell(`MQTT ${protocolVersion}`);
  for (const [name, options] of [
    ['stranger', { username: 'stranger' }],
    ['wrong password', { username: 'device', password: 'wrong' }],
  ]) {
    const refused = watch(mqtt.connect(url, { clientId: 'refused', protocolVersion, reconnectPeriod: 40, ...options }), name);
    await next(refused, 'error');
    await settled(100);
    refused.end(true);
    await settled();
    await outcome(`${name}, asynchronously`, mqtt.connectAsync(url, { clientId: 'refused', protocolVersion, ...options }));
  }

  const client = watch(mqtt.connect(url, { clientId: `limited-${protocolVersion}`, protocolVersion, username: 'limited' }));
  await next(client, 'connect');
  client.subscribe({ 'open/a': { qos: 2 }, 'half/a': { qos: 2 }, secret: { qos: 0 } }, (error, granted, packet) => {
    tell('map', error, granted, packet?.cmd);
  });
  await settled();
  client.subscribe('secret', told('refused alone'));
  await settled();
  client.subscribe('half/b', { qos: 2 }, told('granted less'));
  await settled();
  await outcome('refused alone, asynchronously', client.subscribeAsync('secret'));
  for (const filter of ['a/#/b', 'a+', [], ['open/b', 'b#'], 7]) {
    client.subscribe(filter, told(`filter ${JSON.stringify(filter)}`));
    await settled(20);
  }

  client.end(told('ended'));
  client.publish('open/a', 'while it ends', told('publish while it ends'));
  client.subscribe('open/a', told('subscribe while it ends'));
  client.unsubscribe('open/a', told('unsubscribe while it ends'));
  await next(client, 'close');
  await settled();
  client.publish('open/a', 'too late', told('publish after the end'));
  client.publish('open/a', 'too late', { qos: 1 }, told('publish with QoS 1 after the end'));
  client.subscribe('open/a', told('subscribe after the end'));
  await outcome('publishAsync after the end', client.publishAsync('open/a', 'too late'));
  client.end(told('ended once more'));
  await settled();
  await outcome('endAsync after the end', client.endAsync());
}

const early = watch(mqtt.connect(url, { clientId: 'early' }), 'early');
early.publish('early', 'never sent');
early.end(true, told('early ended'));
await settled(150);

const forced = watch(mqtt.connect(url, { clientId: 'forced' }), 'forced');
await next(forced, 'connect');
forced.end(true, told('forced ended'));
await settled(100);

const hungUp = watch(mqtt.connect(`${url}hang-up`, { clientId: 'hung-up', reconnectPeriod: 30 }), 'hung up');
await next(hungUp, 'close');
await next(hungUp, 'close');
hungUp.end(told('ended while it is away'));
await settled(100);

for (const [name, wrong] of [
  ['no address', () => mqtt.connect('not an address')],
  ['no will topic', () => mqtt.connect(url, { clientId: 'w', will: { payload: 'x' }, manualConnect: true }).end()],
  ['a kept session without an identifier', () => mqtt.connect(url, { clientId: '', clean: false, manualConnect: true })],
]) {
  try {
    wrong();
    tell(name, 'was accepted');
  } catch (error) {
    tell(name, 'was thrown', error instanceof Error);
  }
}
