// Sleeps are forced between any two packets, with the clients connected: none of them can tell.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { packet, publish, subscribe, text } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

let workerd;
before(async () => (workerd = await startSteered()));
after(() => workerd.stop());

let rooms = 0;
const freshRoom = () => workerd.room(`room-${(rooms += 1)}`);

/** How each version writes the packets of these tests. */
const VERSIONS = {
  '3.1.1': {
    connect: (clientId) => packet('10', `${text('MQTT')}04000000${text(clientId)}`),
    connack: (present) => `2002${present ? '01' : '00'}00`,
    subscribe: (filter) => packet('82', `0001${text(filter)}02`),
    suback: '9003000102',
    publish: (id, topic, payload) => packet('34', `${text(topic)}${id}${Buffer.from(payload).toString('hex')}`),
    ack: (type, id) => `${type}02${id}`,
  },
  '5.0': {
    // a session for an hour
    connect: (clientId) => packet('10', `${text('MQTT')}0500000005${'1100000e10'}${text(clientId)}`),
    connack: (present) => new RegExp(`^20..${present ? '01' : '00'}00`),
    subscribe: (filter) => packet('82', `000100${text(filter)}02`),
    suback: '900400010002',
    publish: (id, topic, payload) => packet('34', `${text(topic)}${id}00${Buffer.from(payload).toString('hex')}`),
    ack: (type, id) => `${type}02${id}`,
  },
};

for (const [version, say] of Object.entries(VERSIONS)) {
  describe(`MQTT ${version}`, () => {
    const connectTo = async (room, clientId, present = false) => {
      const client = await room.open();
      await step(room, client, say.connect(clientId), say.connack(present));
      return client;
    };

    test('A QoS 2 message goes through, though the room sleeps before each packet of its publisher and of its subscriber', async () => {
      const room = freshRoom();
      const subscriber = await connectTo(room, 'subscriber');
      await step(room, subscriber, say.subscribe('a'), say.suback);
      const publisher = await connectTo(room, 'publisher');
      for (const payload of ['one', 'two']) {
        await step(room, publisher, say.publish('0007', 'a', payload), say.ack('50', '0007'));
        const delivery = await subscriber.packet();
        const [, id] = /^34..000161(....)/.exec(delivery);
        assert.equal(delivery, say.publish(id, 'a', payload));
        await room.evict();
        // what comes twice is published once
        await step(room, publisher, say.publish('0007', 'a', payload).replace(/^34/, '3c'), say.ack('50', '0007'));
        await step(room, publisher, say.ack('62', '0007'), say.ack('70', '0007'));
        await step(room, subscriber, say.ack('50', id), say.ack('62', id));
        await step(room, subscriber, say.ack('70', id));
      }
      await step(room, subscriber, 'c000', 'd000');
      await isEmptyBut(room, ['f', 's', 's']);
      await Promise.all([publisher.close(), subscriber.close()]);
    });

    test('A session goes on from sleep to sleep: connected, subscribed, away, and back with what waited', async () => {
      const room = freshRoom();
      let keeper = await connectTo(room, 'keeper');
      await step(room, keeper, say.subscribe('a/#'), say.suback);
      const publisher = await connectTo(room, 'publisher');
      await step(room, keeper, 'e000');
      await keeper.closed;
      await room.evict();
      await step(room, publisher, say.publish('0001', 'a/1', 'waits'), say.ack('50', '0001'));
      await step(room, publisher, say.ack('62', '0001'), say.ack('70', '0001'));
      keeper = await connectTo(room, 'keeper', true);
      const delivery = await keeper.packet();
      const [, id] = /^34..0003612f31(....)/.exec(delivery);
      assert.equal(delivery, say.publish(id, 'a/1', 'waits'));
      await room.evict();
      // the connection is lost before the acknowledgement: the message comes again
      await keeper.close();
      await room.evict();
      keeper = await connectTo(room, 'keeper', true);
      assert.equal(await keeper.packet(), say.publish(id, 'a/1', 'waits').replace(/^34/, '3c'));
      await step(room, keeper, say.ack('50', id), say.ack('62', id));
      await keeper.close();
      await room.evict();
      keeper = await connectTo(room, 'keeper', true);
      await keeper.hears(say.ack('62', id));
      await step(room, keeper, say.ack('70', id));
      await step(room, keeper, 'c000', 'd000');
      await Promise.all([publisher.close(), keeper.close()]);
    });

    test('A packet may be cut at any byte by a sleep', async () => {
      const room = freshRoom();
      const client = await room.open();
      for (const byte of say.connect('cut').match(/../g)) await step(room, client, byte);
      await heard(client, say.connack(false));
      const whole = say.subscribe('a') + say.publish('0001', 'a', 'cut');
      for (const byte of whole.match(/../g)) await step(room, client, byte);
      await client.hears(say.suback);
      // what is published before it is released is delivered at once
      const packets = [await client.packet(), await client.packet()].sort();
      assert.deepEqual(packets, [say.publish('0001', 'a', 'cut'), say.ack('50', '0001')].sort());
      await client.close();
    });
  });
}

/** The client sends, hears what is due, and the room sleeps. */
async function step(room, client, sent, expected) {
  client.send(sent);
  if (expected) await heard(client, expected);
  await room.evict();
}

async function heard(client, expected) {
  if (typeof expected === 'string') await client.hears(expected);
  else assert.match(await client.packet(), expected);
}

/** The room keeps records of these kinds and no others. */
async function isEmptyBut(room, kinds) {
  const rows = await room.steer('query', { sql: "SELECT substr(hex(key), 1, 2) AS kind FROM records ORDER BY 1" });
  assert.deepEqual(rows.map(({ kind }) => String.fromCharCode(Number.parseInt(kind, 16))), kinds);
}

test('A client without a session that is kept sleeps as well: its subscription and its topic alias outlast it', async () => {
  const room = freshRoom();
  const client = await room.open();
  await step(room, client, packet('10', `${text('MQTT')}0502000000${text('clean')}`), /^20..0000/);
  await step(room, client, packet('82', `000100${text('a')}00`), '900400010000');
  await step(room, client, packet('30', `${text('a')}03230001${'6f6e65'}`), packet('30', `${text('a')}00${'6f6e65'}`));
  await step(room, client, packet('30', `000003230001${'74776f'}`), packet('30', `${text('a')}00${'74776f'}`));
  await isEmptyBut(room, []);
  await client.close();
});

test('Nothing of 3.1.1 is kept that ends with its connection, and a QoS 0 message writes nothing', async () => {
  const room = freshRoom();
  const client = await room.connect({ clientId: 'clean' });
  await step(room, client, subscribe('a'), '9003000100');
  await step(room, client, publish('a', 'one'), publish('a', 'one'));
  await isEmptyBut(room, []);
  await client.close();
});

test('What is in flight to a client without a session that is kept is written by itself, before the room sleeps', async () => {
  const room = freshRoom();
  const subscriber = await room.connect({ clientId: 'subscriber' });
  subscriber.send(packet('82', `0001${text('a')}02`));
  await subscriber.hears('9003000102');
  const publisher = await room.connect({ clientId: 'publisher' });
  publisher.send(packet('34', `${text('a')}0007${'6f6e65'}`) + packet('62', '0007'));
  await publisher.hears('50020007' + '70020007');
  await subscriber.hears(packet('34', `${text('a')}0001${'6f6e65'}`));
  // Nothing asks for it: a timer does it, which keeps the platform from putting the room to sleep.
  const inFlight = () => room.steer('query', { sql: "SELECT key FROM records WHERE substr(hex(key), 1, 2) = '6F'" });
  while ((await inFlight()).length === 0);
  await room.steer('sleep');
  subscriber.send('50020001');
  await subscriber.hears('62020001');
  subscriber.send('70020001');
  await room.evict();
  assert.deepEqual(await inFlight(), []);
  await Promise.all([publisher.close(), subscriber.close()]);
});
