// What becomes of subscriptions that nobody waits for any more, or whose answer was lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedServer } from './scripted-server.mjs';
import { Time, until } from './support.mjs';

test('subscribing takes no longer than it may, although a part of it is to be taken back', async () => {
  const [client, connection] = await new ScriptedServer().connect();
  const tooLate = assert.rejects(client.subscribe(['a', 'b'], { timeout: 50 }), { code: 'timeout' });
  await connection.grant();
  await connection.hear('subscribe');
  assert.deepEqual((await connection.hear('unsubscribe')).unsubscriptions, ['a']);
  await tooLate; // the UNSUBSCRIBE was not answered
  await client.end();
});

test('subscribing takes no longer than it may, however often the connection is cut', async () => {
  const [server, time] = [new ScriptedServer(), new Time()];
  let [client, connection] = await server.connect({}, time.options());
  const tooLate = assert.rejects(client.subscribe('a', { timeout: 200 }), { code: 'timeout' });
  for (let cuts = 0; cuts < 4; cuts += 1) {
    await connection.hear('subscribe');
    time.pass(50);
    connection.cut();
    time.pass(1);
    connection = await server.accept();
  }
  await tooLate;
  await client.end();
});

test('a subscription that is granted after it was given up is ended, unless somebody else has it by then', async () => {
  const [client, connection] = await new ScriptedServer().connect();
  const giveUp = async () => {
    const controller = new AbortController();
    const subscribing = client.subscribe('a', { signal: controller.signal });
    const { messageId } = await connection.hear('subscribe');
    controller.abort();
    await assert.rejects(subscribing, { code: 'aborted' });
    return () => connection.say({ cmd: 'suback', messageId, granted: [0] });
  };
  (await giveUp())();
  const { messageId } = await connection.hear('unsubscribe');
  connection.say({ cmd: 'unsuback', messageId, granted: [0] });

  const grant = await giveUp();
  const subscribing = client.subscribe('a');
  grant();
  await connection.grant();
  await subscribing;
  await connection.hearNothingBefore(client);
  await client.end();
});

for (const sessionPresent of [false, true]) {
  test(`what was unsubscribed before it was granted is not subscribed to again, with a session: ${sessionPresent}`, async () => {
    const server = new ScriptedServer();
    const [client, connection] = await server.connect();
    const interrupted = assert.rejects(client.subscribe('a'), { code: 'interrupted' });
    const unsubscribing = client.unsubscribe('a');
    await connection.hear('subscribe');
    await connection.hear('unsubscribe');
    connection.cut();
    const next = await server.accept({}, { sessionPresent });
    await interrupted;
    const { messageId } = await next.hear('unsubscribe');
    next.say({ cmd: 'unsuback', messageId, granted: [0] });
    await unsubscribing;
    await next.hearNothingBefore(client);
    await client.end();
  });
}

test('what is subscribed to again outlives that the end of the first was not heard of, twice', async () => {
  const server = new ScriptedServer();
  let [client, connection] = await server.connect();
  const first = client.subscribe('a');
  await connection.grant();
  const ending = (await first).unsubscribe();
  const second = client.subscribe('a');
  for (let cuts = 0; cuts < 2; cuts += 1) {
    await connection.hear('unsubscribe');
    await connection.hear('subscribe');
    connection.cut();
    connection = await server.accept({}, { sessionPresent: true });
  }
  await connection.grant();
  await Promise.all([ending, second]);
  await connection.hearNothingBefore(client);
  await client.end();
});

test('the answers to questions are subscribed to again when a server has not taken that subscription again', async () => {
  const server = new ScriptedServer();
  const [client, connection] = await server.connect({}, { clientId: 'asker' });
  const errors = [];
  client.on('error', (error) => errors.push(error.code));
  const ask = async (connection) => {
    const answer = client.request('question', '');
    await connection.grant(1);
    const { properties } = await connection.hear('publish');
    const { responseTopic, correlationData } = properties;
    connection.say({ cmd: 'publish', topic: responseTopic, payload: 'yes', qos: 0, properties: { correlationData } });
    assert.equal((await answer).text(), 'yes');
  };
  await ask(connection);
  connection.cut();
  const next = await server.accept();
  await next.grant(0x87);
  await until(() => errors.length > 0);
  assert.deepEqual(errors, ['refused']);
  await ask(next);
  await client.end();
});
