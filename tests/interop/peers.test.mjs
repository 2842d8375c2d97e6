// What our client does is the same with each server: mosquitto, `mqlite serve`, and a broker in this process.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { connect } from '../../js/dist/index.js';
import { peers } from './peers.mjs';
import { startProxy } from './proxy.mjs';

for (const [name, start] of Object.entries(peers)) {
  for (const protocolVersion of [4, 5]) {
    describe(`${name}, MQTT ${protocolVersion}`, () => {
      let peer;
      before(async () => (peer = await start()));
      after(() => peer?.stop());
      suite({ name, protocolVersion, port: () => peer.port });
    });
  }
}

function suite({ name, protocolVersion, port }) {
  const isFive = protocolVersion === 5;

  /** A test with clients of its own, which are ended whatever happens. */
  function check(what, body) {
    test(what, async (context) => {
      const clients = [];
      context.after(() => Promise.all(clients.map((client) => client.end())));
      await body(async ({ through = port(), session = false, properties, ...options } = {}) => {
        const kept = isFive ? { properties: { ...(session && { sessionExpiryInterval: 300 }), ...properties } } : {};
        const client = await connect(() => new WebSocket(`ws://127.0.0.1:${through}/mqtt`, 'mqtt'), {
          protocolVersion,
          cleanStart: !session,
          reconnect: { minimumDelayMillis: 2, maximumDelayMillis: 20 },
          ...kept,
          ...options,
        });
        clients.push(client);
        return client;
      });
    });
  }

  for (const qos of [0, 1, 2]) {
    check(`messages of QoS ${qos} arrive once, in order and as they were`, async (open) => {
      const [publisher, subscriber] = [await open(), await open()];
      const heard = [];
      const { granted } = await subscriber.subscribe(['count', 'other/+'], { qos }, (message) => void heard.push(message));
      assert.deepEqual(granted, [qos, qos]);
      const payloads = Array.from({ length: 300 }, (_, number) => `${number}`);
      await Promise.all(payloads.map((payload) => publisher.publish('count', payload, { qos })));
      await publisher.publish('other/bytes', Uint8Array.of(0, 255, 128), { qos });
      await until(() => heard.length > 300);
      assert.deepEqual(heard.slice(0, 300).map((message) => message.text()), payloads);
      assert.deepEqual([heard[300].topic, [...heard[300].bytes], heard[300].qos, heard[300].retain], ['other/bytes', [0, 255, 128], qos, false]);
    });
  }

  check('a message is delivered with the lower QoS of publication and subscription', async (open) => {
    const client = await open();
    const heard = [];
    for (const qos of [0, 1, 2]) await client.subscribe(`lower/${qos}`, { qos }, (message) => void heard.push(`${message.topic} ${message.qos}`));
    for (const granted of [0, 1, 2]) for (const qos of [0, 1, 2]) await client.publish(`lower/${granted}`, '', { qos });
    await until(() => heard.length === 9);
    const expected = [0, 1, 2].flatMap((granted) => [0, 1, 2].map((qos) => `lower/${granted} ${Math.min(granted, qos)}`));
    assert.deepEqual(heard.sort(), expected.sort());
  });

  check('retained messages greet who subscribes, until they are cleared', async (open) => {
    const client = await open();
    await client.publish('kept/a', 'old', { qos: 1, retain: true });
    await client.publish('kept/a', 'new', { qos: 1, retain: true });
    await client.publish('kept/b', 'other', { qos: 1, retain: true });
    const heard = [];
    const subscription = await client.subscribe('kept/#', { qos: 1 }, (message) => void heard.push([message.topic, message.text(), message.retain]));
    await until(() => heard.length === 2);
    assert.deepEqual(heard.sort(), [['kept/a', 'new', true], ['kept/b', 'other', true]]);
    await subscription.unsubscribe();
    for (const topic of ['kept/a', 'kept/b']) await client.publish(topic, '', { qos: 1, retain: true });
    heard.length = 0;
    await client.subscribe('kept/#', { qos: 1 }, (message) => void heard.push([message.topic, message.text(), message.retain]));
    await client.publish('kept/end', '', { qos: 1 });
    await until(() => heard.length > 0);
    assert.deepEqual(heard, [['kept/end', '', false]]);
  });

  check('a will is published when a connection is lost, and not after end()', async (open) => {
    const proxy = await startProxy(port());
    try {
      const watcher = await open();
      const heard = [];
      await watcher.subscribe('will/+', { qos: 2 }, (message) => void heard.push([message.topic, message.text(), message.qos]));
      const will = (name) => ({ topic: `will/${name}`, payload: 'last word', qos: 2 });
      const quiet = await open({ will: will('quiet') });
      await open({ through: proxy.port, will: will('loud'), reconnect: false });
      await quiet.end();
      proxy.cut();
      await until(() => heard.length > 0);
      await watcher.publish('will/end', '', { qos: 2 });
      await until(() => heard.at(-1)[0] === 'will/end');
      assert.deepEqual(heard, [['will/loud', 'last word', 2], ['will/end', '', 2]]);
    } finally {
      await proxy.stop();
    }
  });

  check('each filter takes what it matches, and a message that several match goes to each of them', async (open) => {
    const client = await open();
    const heard = { '#': [], 'wild/+': [], 'wild/+/end': [], 'wild/a': [], '+/+': [] };
    for (const [filter, topics] of Object.entries(heard)) {
      await client.subscribe(filter, { qos: 1 }, ({ topic }) => void (topic.startsWith('wild/') && !topics.includes(topic) && topics.push(topic)));
    }
    for (const topic of ['wild/a', 'wild/b', 'wild/a/end', 'wild/a/b/c']) await client.publish(topic, '', { qos: 1 });
    await until(() => heard['#'].length === 4);
    await client.publish('wild/a/end', '', { qos: 1 });
    assert.deepEqual(heard, {
      '#': ['wild/a', 'wild/b', 'wild/a/end', 'wild/a/b/c'],
      'wild/+': ['wild/a', 'wild/b'],
      'wild/+/end': ['wild/a/end'],
      'wild/a': ['wild/a'],
      '+/+': ['wild/a', 'wild/b'],
    });
  });

  check('a subscription that was ended hears no more', async (open) => {
    const client = await open();
    const heard = [];
    await client.subscribe('left/b', (message) => void heard.push(message.topic));
    const left = await client.subscribe(['left/a', 'left/c'], (message) => void heard.push(message.topic));
    await left.unsubscribe();
    for (const topic of ['left/a', 'left/c', 'left/b']) await client.publish(topic, '');
    await until(() => heard.length > 0);
    assert.deepEqual(heard, ['left/b']);
  });

  check('each message of a shared subscription goes to one member', async (open) => {
    const heard = [[], [], []];
    for (const messages of heard) {
      const member = await open();
      await member.subscribe('$share/crew/job', { qos: 1 }, (message) => void messages.push(message.text()));
    }
    const publisher = await open();
    const payloads = Array.from({ length: 60 }, (_, number) => `${number}`);
    for (const payload of payloads) await publisher.publish('job', payload, { qos: 1 });
    await until(() => heard.flat().length >= payloads.length);
    assert.deepEqual(heard.flat().sort(), [...payloads].sort());
    assert.ok(heard.every((messages) => messages.length > 0), `everybody has work: ${heard.map((messages) => messages.length)}`);
  });

  check('a session that is kept has what came meanwhile, also for a client that begins anew', async (open) => {
    const clientId = `diver-${protocolVersion}`;
    const first = await open({ clientId, session: true });
    await first.subscribe('depth', { qos: 2 }, () => {});
    await first.end();
    const publisher = await open();
    for (const qos of [1, 2]) await publisher.publish('depth', `${qos}`, { qos });
    const heard = [];
    const second = await open({ clientId, session: true, onMessage: (message) => void heard.push([message.text(), message.qos]) });
    assert.equal(second.sessionPresent, true);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, [['1', 1], ['2', 2]]);
    await second.end(isFive ? { sessionExpiryInterval: 0 } : {});
  });

  check('a client whose connections are cut comes back, and what was asked meanwhile is done', async (open) => {
    const proxy = await startProxy(port());
    try {
      const client = await open({ through: proxy.port, clientId: `cut-${protocolVersion}`, session: true });
      const heard = [];
      await client.subscribe('cut/+', { qos: 2 }, (message) => void heard.push(message.text()));
      for (let round = 0; round < 5; round += 1) {
        proxy.cut();
        await client.publish('cut/a', `${round}`, { qos: 2 });
      }
      proxy.cut();
      await client.subscribe('later', { qos: 1 }, (message) => void heard.push(message.text()));
      await client.publish('later', 'end', { qos: 1 });
      await until(() => heard.includes('end'));
      assert.deepEqual(heard, ['0', '1', '2', '3', '4', 'end']);
      await client.end(isFive ? { sessionExpiryInterval: 0 } : {});
    } finally {
      await proxy.stop();
    }
  });

  check('a server without the session is told what the client subscribes to', async (open) => {
    const proxy = await startProxy(port());
    try {
      const client = await open({ through: proxy.port, properties: { sessionExpiryInterval: 0 } });
      const heard = [];
      await client.subscribe(['anew/a', 'anew/+/b'], { qos: 1 }, (message) => void heard.push(message.topic));
      proxy.cut();
      await until(() => client.status !== 'connected');
      await until(() => client.status === 'connected');
      assert.equal(client.sessionPresent, false);
      for (const topic of ['anew/a', 'anew/c/b']) await client.publish(topic, '', { qos: 1 });
      await until(() => heard.length === 2);
      assert.deepEqual(heard, ['anew/a', 'anew/c/b']);
    } finally {
      await proxy.stop();
    }
  });

  check('a handler that is slow gets every message, one after the other', async (open) => {
    // mosquitto 2.0.11 sends two messages for one PUBACK, which is beyond a Receive Maximum that it has reached. [MQTT-3.3.4-9]
    const receiveMaximum = name === 'mosquitto' ? 256 : 3;
    const [publisher, subscriber] = [await open(), await open({ properties: { receiveMaximum } })];
    const heard = [];
    let running = 0;
    let most = 0;
    await subscriber.subscribe('slow', { qos: 1 }, async (message) => {
      most = Math.max(most, (running += 1));
      await sleep(1);
      running -= 1;
      heard.push(message.text());
    });
    const payloads = Array.from({ length: 100 }, (_, number) => `${number}`);
    await Promise.all(payloads.map((payload) => publisher.publish('slow', payload, { qos: 1 })));
    await until(() => heard.length === payloads.length);
    assert.deepEqual([heard, most], [payloads, 1]);
  });

  if (!isFive) return;

  check('the properties of a message arrive', async (open) => {
    const client = await open();
    const properties = {
      payloadFormatIndicator: true,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Uint8Array.of(1, 2),
      userProperties: [['a', '1'], ['a', '2'], ['b', '3']],
    };
    const subscription = await client.subscribe('properties', { qos: 1 });
    await client.publish('properties', 'x', { qos: 1, properties });
    for await (const message of subscription) {
      assert.deepEqual({ ...message.properties, correlationData: [...message.properties.correlationData] }, { ...properties, correlationData: [1, 2] });
      break;
    }
  });

  check('a message that has expired is not delivered, and one that has not says for how long it is of use', async (open) => {
    const client = await open();
    await client.publish('expiry/short', 'gone', { qos: 1, retain: true, properties: { messageExpiryInterval: 1 } });
    await client.publish('expiry/long', 'there', { qos: 1, retain: true, properties: { messageExpiryInterval: 1_000 } });
    // A server may count whole seconds.
    await sleep(2_100);
    const heard = [];
    await client.subscribe('expiry/+', { qos: 1 }, (message) => void heard.push(message));
    await client.publish('expiry/end', '', { qos: 1 });
    await until(() => heard.some(({ topic }) => topic === 'expiry/end'));
    const [long] = heard;
    assert.deepEqual(heard.map(({ topic }) => topic), ['expiry/long', 'expiry/end']);
    const { messageExpiryInterval } = long.properties;
    assert.ok(messageExpiryInterval > 900 && messageExpiryInterval < 1_000, `${messageExpiryInterval} s are left`);
    await client.publish('expiry/long', '', { qos: 1, retain: true });
  });

  check('a question is answered, and each answer goes to its question', async (open) => {
    const [asker, answerer] = [await open(), await open()];
    await answerer.subscribe('double', { qos: 1 }, ({ properties, ...message }) => {
      const { responseTopic, correlationData } = properties;
      return answerer.publish(responseTopic, `${2 * Number(new TextDecoder().decode(message.payload))}`, { qos: 1, properties: { correlationData } });
    });
    const answers = await Promise.all([1, 2, 3].map((number) => asker.request('double', `${number}`, { qos: 1, timeout: 20_000 })));
    assert.deepEqual(answers.map((answer) => answer.text()), ['2', '4', '6']);
  });

  check('topics travel as aliases, both ways where the server sets any', async (open) => {
    const client = await open({ properties: { topicAliasMaximum: 5 } });
    const heard = [];
    await client.subscribe('alias/#', { qos: 1 }, (message) => void heard.push(message.topic));
    const sent = [];
    client.on('packet', ({ direction, type, text }) => direction === 'sent' && type === 'PUBLISH' && sent.push(text));
    const topics = Array.from({ length: 40 }, (_, number) => `alias/${number % 20}`);
    for (const topic of topics) await client.publish(topic, '', { qos: 1 });
    await until(() => heard.length === topics.length && sent.length === topics.length);
    assert.deepEqual(heard, topics);
    const { topicAliasMaximum = 0 } = client.server;
    assert.ok(topicAliasMaximum > 0, 'each of these servers allows aliases');
    const aliased = sent.filter((text) => /alias/i.test(text.replace(/alias\/\d+/, ''))).length;
    assert.equal(aliased, 2 * Math.min(topicAliasMaximum, 20), sent.join('\n'));
  });

  check('subscription options: noLocal, retainAsPublished and retainHandling', async (open) => {
    const [client, other] = [await open(), await open()];
    const heard = [];
    await client.publish('options/kept', '', { qos: 1 });
    await client.publish('options/kept', 'kept', { qos: 1, retain: true });
    const options = { qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 'doNotSend' };
    await client.subscribe('options/+', options, (message) => void heard.push([message.topic, message.text(), message.retain]));
    await client.publish('options/own', '', { qos: 1 });
    await other.publish('options/retained', 'x', { qos: 1, retain: true });
    await other.publish('options/plain', 'y', { qos: 1 });
    await until(() => heard.length === 2);
    assert.deepEqual(heard, [['options/retained', 'x', true], ['options/plain', 'y', false]]);
    for (const topic of ['options/kept', 'options/retained']) await other.publish(topic, '', { qos: 1, retain: true });
  });
}

/** Resolves when `condition` holds. */
async function until(condition) {
  while (!condition()) await sleep(2);
}
