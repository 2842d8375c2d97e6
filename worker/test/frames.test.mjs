import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';
import { connect, open, packet, publish, subscribe, text } from './raw-client.mjs';

const CONNECT = packet('10', `${text('MQTT')}04020000${text('raw')}`);
const CONNECT_5 = packet('10', `${text('MQTT')}0502000000${text('raw5')}`);
const CONNACK = '20020000';
const SUBACK = '9003000100';
const PINGREQ = 'c000';
const PINGRESP = 'd000';

let workerd;
before(async () => (workerd = await start()));
after(() => workerd.stop());

let rooms = 0;
const freshRoom = () => `ws://127.0.0.1:${workerd.port}/mqtt/room-${(rooms += 1)}`;

test('A packet may come a byte at a time', async () => {
  const client = await open(freshRoom());
  for (const byte of CONNECT.match(/../g)) client.send(byte);
  await client.hears(CONNACK);
  await client.close();
});

test('One message may hold many packets and the beginning of another', async () => {
  const client = await open(freshRoom());
  client.send(CONNECT + subscribe('a') + publish('a', 'one') + PINGREQ.slice(0, 2));
  await client.hears(CONNACK + SUBACK + publish('a', 'one'));
  client.send(PINGREQ.slice(2));
  await client.hears(PINGRESP);
  await client.close();
});

test('Empty messages mean nothing', async () => {
  const client = await open(freshRoom());
  client.send('');
  client.send(CONNECT);
  client.send('');
  await client.hears(CONNACK);
  await client.close();
});

test('A text message closes the WebSocket and nobody else [MQTT-6.0.0-1]', async () => {
  const room = freshRoom();
  const bystander = await connect(room, { clientId: 'bystander' });
  const client = await connect(room, { clientId: 'writer', will: 'gone' });
  bystander.send(subscribe('will'));
  await bystander.hears(SUBACK);
  client.sendText('hello');
  assert.equal((await client.closed).code, 1003);
  await bystander.hears(publish('will', 'gone'));
  await bystander.close();
});

test('What came before a text message is heard, and nothing that comes after', async () => {
  const room = freshRoom();
  const watcher = await connect(room, { clientId: 'watcher' });
  watcher.send(subscribe('#'));
  await watcher.hears(SUBACK);
  const writers = await Promise.all(Array.from({ length: 20 }, (_, number) => connect(room, { clientId: `writer-${number}` })));
  for (const [number, writer] of writers.entries()) {
    for (let count = 0; count < 3; count += 1) writer.send(publish('before', String(number)));
    writer.sendText('hello');
    writer.send(publish('after', String(number)));
  }
  for (const writer of writers) assert.equal((await writer.closed).code, 1003);
  watcher.send(publish('last', ''));
  const heard = [];
  for (let packet; packet !== publish('last', ''); heard.push(packet)) packet = await watcher.packet();
  const before = writers.flatMap((_, number) => Array(3).fill(publish('before', String(number))));
  assert.deepEqual(heard.toSorted(), [...before, publish('last', '')].toSorted());
  await watcher.close();
});

test('A malformed packet is answered with its Reason Code, and nobody else hears of it', async () => {
  const room = freshRoom();
  const bystander = await connect(room, { clientId: 'bystander' });
  const client = await open(room);
  client.send(CONNECT_5);
  assert.match(await client.packet(), /^20..00/);
  client.send('36040001610000'); // PUBLISH with both QoS bits set
  assert.match(await client.packet(), /^e0..81/);
  await client.closed;
  bystander.send(PINGREQ);
  await bystander.hears(PINGRESP);
  await bystander.close();
});

test('A WebSocket that closes without DISCONNECT publishes its will', async () => {
  const room = freshRoom();
  const watcher = await connect(room, { clientId: 'watcher' });
  watcher.send(subscribe('will'));
  await watcher.hears(SUBACK);
  const client = await connect(room, { clientId: 'mortal', will: 'gone' });
  await client.close();
  await watcher.hears(publish('will', 'gone'));
  await watcher.close();
});

test('What a client said before it closed is heard first: after a DISCONNECT there is no will', async () => {
  const room = freshRoom();
  const watcher = await connect(room, { clientId: 'watcher' });
  watcher.send(subscribe('#'));
  await watcher.hears(SUBACK);
  const clients = await Promise.all(Array.from({ length: 20 }, (_, number) => connect(room, { clientId: `leaver-${number}`, will: 'gone' })));
  await Promise.all(
    clients.map((client) => {
      client.send(PINGREQ);
      client.send('e000');
      return client.close();
    }),
  );
  watcher.send(publish('a', 'last'));
  await watcher.hears(publish('a', 'last'));
  await watcher.close();
});

test('What comes at once is answered with fewer messages', async () => {
  const client = await connect(freshRoom(), { clientId: 'busy' });
  client.send(subscribe('a'));
  await client.hears(SUBACK);
  const { messages } = client;
  for (let count = 0; count < 500; count += 1) client.send(publish('a', 'x'));
  for (let count = 0; count < 500; count += 1) await client.hears(publish('a', 'x'));
  console.log(`500 messages of one packet each, echoed in ${client.messages - messages}`);
  assert.ok(client.messages - messages < 250);
  await client.close();
});

test('Rooms know nothing of each other: the same client is in two, and messages stay in theirs', async () => {
  const rooms = [freshRoom(), freshRoom()];
  const [one, other] = await Promise.all(rooms.map((room) => connect(room, { clientId: 'same' })));
  for (const client of [one, other]) {
    client.send(subscribe('#'));
    await client.hears(SUBACK);
  }
  one.send(publish('a', 'one'));
  await one.hears(publish('a', 'one'));
  other.send(publish('a', 'other'));
  await other.hears(publish('a', 'other'));
  await Promise.all([one.close(), other.close()]);
});
