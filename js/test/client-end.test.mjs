// end() at every moment: nothing is left undone, nothing is told afterwards, and no promise stays open.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'mqlite';
import { ScriptedServer } from './scripted-server.mjs';
import { settled, Time, until } from './support.mjs';

const QUICK = { minimumDelayMillis: 1, maximumDelayMillis: 1 };

/** What became of promises: `ok`, or the code of the error. */
const outcomes = (promises) => Promise.all(promises.map((promise) => promise.then(() => 'ok', ({ code }) => code)));

const never = () => new Promise(() => {});

for (const [moment, options, reach] of [
  ['the server is asked for', { server: never }, () => {}],
  ['the credentials are asked for', { credentials: never }, () => {}],
  ['the transport opens', { server: () => ({ send() {}, close() {}, opened: never() }) }, () => {}],
  ['the server has not answered the CONNECT', {}, (script) => script.next()],
  ['there is a connection', {}, (script) => script.accept()],
  [
    'the client waits to try again',
    { reconnect: { minimumDelayMillis: 1e9, maximumDelayMillis: 1e9 } },
    async (script, client) => {
      const connection = await script.accept();
      await until(() => client.status === 'connected');
      connection.cut();
      await until(() => client.status === 'waiting');
    },
  ],
]) {
  test(`end() while ${moment}: all that was asked for is told, once, and nothing follows`, async () => {
    const script = new ScriptedServer();
    const { server = script.server, ...rest } = options;
    const client = await connect(server, { reconnect: QUICK, waitForConnection: false, ...rest });
    const told = [];
    client.on('status', (status) => told.push(status));
    client.on('error', (error) => told.push(error));
    await reach(script, client);
    await settled();
    told.length = 0;
    const asked = outcomes([
      client.publish('a', '', { qos: 1 }),
      client.publish('a', '', { qos: 2, timeout: 1e9, signal: new AbortController().signal }),
      client.subscribe('a'),
      client.unsubscribe('b'),
      client.request('c', ''),
    ]);
    await Promise.all([client.end(), client.end()]);
    assert.equal(client.status, 'ended');
    assert.deepEqual(await client.ended, { cause: 'requested', message: 'The client disconnected.' });
    for (const code of await asked) assert.match(code, /^(interrupted|closed)$/);
    assert.deepEqual(await outcomes([client.publish('a', ''), client.subscribe('a'), client.unsubscribe('a'), client.request('a', '')]), [
      'closed',
      'closed',
      'closed',
      'closed',
    ]);
    client.reconnect();
    await client.end();
    await settled();
    assert.deepEqual(told, ['ended']);
  });
}

test('end() says goodbye, after what was published before it', async () => {
  const script = new ScriptedServer();
  const [client, server] = await script.connect();
  void client.publish('last', 'word');
  void client.end();
  assert.equal((await server.hear('publish')).topic, 'last');
  assert.equal((await server.hear('disconnect')).reasonCode, 0);
  await client.ended;
  assert.ok(server.isClosed);
});

for (const when of ['connected', 'waiting', 'connecting', 'ended']) {
  test(`end() from within a handler of the status "${when}"`, async () => {
    const script = new ScriptedServer();
    const client = await connect(script.server, { reconnect: QUICK, waitForConnection: false });
    const told = [];
    const ends = [];
    let seen = 0;
    client.on('status', (status) => {
      told.push(status);
      if (status === when && (seen += 1) === 1) ends.push(client.end());
    });
    const connection = await script.accept();
    await until(() => told.length > 0);
    if (when !== 'connected') connection.cut();
    if (when === 'ended') await client.end();
    await client.ended;
    await Promise.all(ends);
    await settled();
    assert.equal(ends.length, 1);
    assert.deepEqual(told.filter((status) => status === 'ended'), ['ended']);
    assert.equal(told.at(-1), 'ended');
  });
}

test('end() from within the handler of a message, of a packet and of an error', async () => {
  const message = { cmd: 'publish', topic: 'a', payload: '', qos: 1, messageId: 1, dup: false, retain: false };
  for (const listen of [
    (client, end) => client.on('message', end),
    (client, end) => client.on('packet', ({ type }) => type === 'PUBLISH' && end()),
    (client, end) => {
      client.on('message', () => { throw new Error('no'); });
      client.on('error', end);
    },
  ]) {
    const script = new ScriptedServer();
    const [client, server] = await script.connect();
    let ended;
    listen(client, () => (ended ??= client.end()));
    server.say({ ...message }, { ...message, messageId: 2 });
    assert.equal((await client.ended).cause, 'requested');
    await ended;
    assert.equal(client.status, 'ended');
    assert.ok(server.isClosed);
  }
});

test('end() from within the functions that a connection asks', async () => {
  const script = new ScriptedServer();
  for (const ask of [
    (end) => [async () => { await end(); return script.server(); }, {}],
    (end) => [script.server, { credentials: async () => { await end(); return { userName: 'u' }; } }],
  ]) {
    let client;
    let asked = 0;
    const [server, options] = ask(async () => {
      asked += 1;
      await until(() => client !== undefined);
      await client.end();
    });
    client = await connect(server, { ...options, waitForConnection: false });
    assert.equal((await client.ended).cause, 'requested');
    await settled();
    assert.deepEqual([client.status, asked], ['ended', 1]);
  }
});

test('What the time limit of a request or its signal ends is told once, wherever the message is', async () => {
  const time = new Time();
  const script = new ScriptedServer();
  const [client, server] = await script.connect({ receiveMaximum: 1 }, { ...time.options(), keepAlive: 0 });
  const controller = new AbortController();
  const asked = outcomes([
    client.publish('under way', '', { qos: 2, timeout: 100 }),
    client.publish('waits', '', { qos: 1, timeout: 100 }),
    client.publish('aborted', '', { qos: 1, signal: controller.signal }),
    client.publish('goes', '', { qos: 1 }),
  ]);
  const { messageId } = await server.hear('publish');
  server.say({ cmd: 'pubrec', messageId });
  await server.hear('pubrel');
  time.pass(100);
  controller.abort();
  server.say({ cmd: 'pubcomp', messageId });
  const next = await server.hear('publish');
  assert.equal(next.topic, 'goes', 'what was given up while it waited is not sent');
  server.say({ cmd: 'puback', messageId: next.messageId });
  assert.deepEqual(await asked, ['timeout', 'timeout', 'aborted', 'ok']);
  await client.end();
});

test('A subscription whose asking was given up is not kept, whatever the server answers', async () => {
  const time = new Time();
  const script = new ScriptedServer();
  const [client, first] = await script.connect({}, { ...time.options(), keepAlive: 0 });
  const asked = outcomes([client.subscribe('a', { timeout: 100 }, () => assert.fail('a message came'))]);
  const { messageId } = await first.hear('subscribe');
  time.pass(100);
  assert.deepEqual(await asked, ['timeout']);
  first.say({ cmd: 'suback', messageId, granted: [0] });
  first.say({ cmd: 'publish', topic: 'a', payload: '', qos: 0, dup: false, retain: false });
  const { messageId: ending } = await first.hear('unsubscribe');
  first.say({ cmd: 'unsuback', messageId: ending, granted: [0] });
  first.cut();
  time.pass(10);
  const second = await script.accept({}, { sessionPresent: false });
  await until(() => client.status === 'connected');
  await second.hearNothingBefore(client);
  await client.end();
});
