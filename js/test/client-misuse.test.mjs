// What goes wrong easily, and what the client says and does then.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, connect } from '../dist/broker.js';

/** A broker, and clients of it that end with the test. */
async function world(context, options) {
  const broker = await Broker.open(options);
  context.after(() => broker.close());
  return async (said) => {
    const client = await connect(broker, said);
    context.after(() => client.end());
    return client;
  };
}

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};

test('Messages that a handler of all messages takes wait for no loop', async (context) => {
  const open = await world(context);
  const [client, publisher] = [await open(), await open()];
  const errors = [];
  client.on('error', (error) => errors.push(error));
  const heard = [];
  client.on('message', (message) => void heard.push(message.text()));
  const subscription = await client.subscribe('a', { qos: 1 });
  const payloads = Array.from({ length: 400 }, (_, number) => `${number}`);
  for (const payload of payloads) await publisher.publish('a', payload, { qos: 1 });
  await until(() => heard.length === payloads.length);
  assert.deepEqual(heard, payloads);
  const looped = [];
  for await (const message of subscription) {
    looped.push(message.text());
    if (looped.length === payloads.length) break;
  }
  assert.deepEqual(looped, payloads, 'a loop that comes late has them too');
  assert.deepEqual(errors.map(({ code }) => code), ['unattended']);
});

test('A subscription that nobody takes from is told once, with what to do', async (context) => {
  const open = await world(context);
  const [client, publisher] = [await open(), await open()];
  const errors = [];
  client.on('error', (error) => errors.push(error));
  await client.subscribe('a', { qos: 1 });
  await Promise.all(Array.from({ length: 300 }, () => publisher.publish('a', '', { qos: 1 })));
  await until(() => errors.length > 0);
  const [{ code, message, hint }] = errors;
  assert.deepEqual([errors.length, code, message], [1, 'unattended', 'Messages wait at the subscription to ["a"], and nobody takes them.']);
  assert.equal(hint, 'Pass a handler to subscribe(), or iterate the subscription.');
});

test('Questions that handlers ask are answered, however many messages wait for these handlers', async (context) => {
  const open = await world(context);
  const [worker, helper, publisher] = [await open({ properties: { receiveMaximum: 2 } }), await open(), await open()];
  await helper.subscribe('help', { qos: 1 }, async ({ properties: { responseTopic, correlationData } }) => {
    await helper.publish(responseTopic, 'ok', { qos: 1, properties: { correlationData } });
  });
  const done = [];
  await worker.subscribe('jobs', { qos: 1 }, async (job) => {
    const answer = await worker.request('help', '', { timeout: 20_000 });
    done.push(`${job.text()} ${answer.text()}`);
  });
  await Promise.all(['1', '2', '3', '4'].map((job) => publisher.publish('jobs', job, { qos: 1 })));
  await until(() => done.length === 4);
  assert.deepEqual(done, ['1 ok', '2 ok', '3 ok', '4 ok']);
});

test('What 3.1.1 cannot say is refused, not left out', async (context) => {
  const open = await world(context);
  const client = await open({ protocolVersion: 4 });
  const needsMqtt5 = { code: 'needs-mqtt-5', hint: 'Connect with MQTT 5, if the server knows it.' };
  await assert.rejects(client.publish('a', '', { properties: { contentType: 'text/plain' } }), needsMqtt5);
  for (const options of [{ noLocal: true }, { retainAsPublished: true }, { retainHandling: 'doNotSend' }, { identifier: 1 }, { userProperties: [['a', 'b']] }]) {
    await assert.rejects(client.subscribe('a', options, () => {}), { ...needsMqtt5, message: `MQTT 3.1.1 has no "${Object.keys(options)[0]}".` });
  }
  await client.subscribe('a', { qos: 1, noLocal: false, retainHandling: 'send' }, () => {});
});

test('Of two clients with one Client Identifier the first is told what to do', async (context) => {
  const open = await world(context);
  const first = await open({ clientId: 'twin' });
  const errors = [];
  first.on('status', (status, { error }) => status === 'ended' && errors.push(error));
  await open({ clientId: 'twin' });
  await first.ended;
  await until(() => errors.length > 0);
  assert.deepEqual([errors[0].reason, errors[0].hint], [0x8e, 'Another client has connected with the same clientId: give each its own.']);
});

test('What is no server, or has credentials in its address, is refused with what to write instead', async () => {
  await assert.rejects(connect(undefined), { code: 'invalid-options', message: 'There is nothing to connect to: the first argument is undefined.' });
  await assert.rejects(connect('ws://user:secret@127.0.0.1:1/'), (error) => {
    assert.equal(error.code, 'invalid-options');
    assert.equal(error.hint, 'Use the options "userName" and "password".');
    assert.ok(!`${error.message}${error.stack}`.includes('secret'));
    return true;
  });
});

test('Options after the handler are refused, not left out', async (context) => {
  const open = await world(context);
  const client = await open();
  await assert.rejects(client.subscribe('a', () => {}, { qos: 1 }), { code: 'invalid-options', message: 'The options come before the handler.' });
});
