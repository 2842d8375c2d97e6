// A server that knows MQTT 3.1.1 alone, one that is asked whether it is there, and what an outbox drops.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'mqlite/broker';
import { RawTransport, settled, Time, until, withBroker } from './support.mjs';

/** A server that refuses MQTT 5 with these bytes, and lets 3.1.1 in. What it heard first on each connection is in `heard`. */
function old(refusal) {
  const heard = [];
  const server = () => {
    const transport = new RawTransport();
    transport.send = (bytes) => {
      const hex = Buffer.from(bytes).toString('hex');
      if (!hex.startsWith('10')) return;
      heard.push(bytes[8]);
      setTimeout(() => transport.say(bytes[8] === 5 ? refusal : '20020000'));
    };
    return transport;
  };
  return { server, heard };
}

for (const [name, refusal] of [
  ['MQTT 5 with 0x84', '2003008400'],
  ['MQTT 3.1.1 with 1', '20020001'],
]) {
  test(`A server that refuses in ${name} is spoken to in 3.1.1, and what waits is kept`, async () => {
    const { server, heard } = old(refusal);
    const waiting = await connect(server, { waitForConnection: false });
    const published = waiting.publish('a', 'x', { properties: { contentType: 'text/plain' } });
    await published;
    assert.deepEqual([heard, waiting.status], [[5, 4], 'connected']);
    await assert.rejects(waiting.request('a', 'x'), { code: 'needs-mqtt-5' });
    await waiting.end();
    const client = await connect(server);
    assert.deepEqual(heard, [5, 4, 5, 4]);
    await client.end();
  });

  test(`Whoever named the version hears of the refusal, in ${name}`, async () => {
    const { server, heard } = old(refusal);
    await assert.rejects(connect(server, { protocolVersion: 5 }), { code: 'refused', reason: 0x84 });
    await assert.rejects(connect(server()), { code: 'refused', reason: 0x84 }, 'there is no second connection to be had');
    assert.deepEqual(heard, [5, 5]);
  });
}

test('A server that refuses both versions is left', async () => {
  const heard = [];
  const server = () => {
    const transport = new RawTransport();
    transport.send = (bytes) => {
      heard.push(bytes[8]);
      setTimeout(() => transport.say(bytes[8] === 5 ? '2003008400' : '20020001'));
    };
    return transport;
  };
  await assert.rejects(connect(server), { code: 'refused', reason: 0x84 });
  assert.deepEqual(heard, [5, 4]);
});

test('A message that was not sent is not sent any more when somebody gives it up', async () => {
  const transports = [];
  const server = () => {
    transports.push(new RawTransport());
    return transports.at(-1);
  };
  const client = await connect(server, { waitForConnection: false });
  const controller = new AbortController();
  const kept = client.publish('kept', 'x');
  const given = client.publish('given', 'x', { qos: 1, signal: controller.signal });
  controller.abort();
  await assert.rejects(given, { code: 'aborted', message: /was not sent, and will not be/ });
  await until(() => transports[0]?.hear().startsWith('10'));
  transports[0].say('2003000000');
  await kept;
  const heard = Buffer.from(transports[0].hear(), 'hex').toString('latin1');
  assert.ok(heard.includes('kept') && !heard.includes('given'));
  await client.end();
});

test('Credentials are asked for at each attempt, and a refusal of them is no end then', async () => {
  const heard = [];
  const transports = [];
  const server = () => {
    const transport = new RawTransport();
    transports.push(transport);
    transport.send = (bytes) => {
      heard.push(Buffer.from(bytes).toString('latin1'));
      setTimeout(() => transport.say(transports.length === 2 ? '2003008700' : '2003000000'));
    };
    return transport;
  };
  let token = 0;
  const credentials = async () => ({ userName: 'u', password: `token-${(token += 1)}` });
  const client = await connect(server, { credentials, reconnect: { maximumDelayMillis: 1 } });
  transports[0].onclose();
  await until(() => transports.length === 3 && client.status === 'connected');
  assert.deepEqual(heard.map((text) => /token-\d/.exec(text)?.[0]), ['token-1', 'token-2', 'token-3']);
  await client.end();
  const fixed = connect(() => broken(), { userName: 'u', password: 'p' });
  const broken = () => Object.assign(new RawTransport(), {
    send() {
      setTimeout(() => this.say('2003008700'));
    },
  });
  await assert.rejects(fixed, { code: 'refused', reason: 0x87 });
  await assert.rejects(connect(() => broken(), { credentials: () => ({ user: 'u' }) }), { code: 'invalid-options' });
  await assert.rejects(connect(() => broken(), { credentials: () => { throw new Error('no token'); } }), { code: 'handler-failed' });
});

withBroker('A page that comes back asks the server whether it is there', async (broker, context) => {
  const listeners = new Map();
  const document = {
    visibilityState: 'hidden',
    addEventListener: (type, call) => listeners.set(type, call),
    removeEventListener: (type) => listeners.delete(type),
  };
  globalThis.document = document;
  context.after(() => delete globalThis.document);
  const time = new Time();
  const transport = new RawTransport();
  const connecting = connect(transport, time.options());
  await until(() => transport.hear().startsWith('10'));
  transport.say('2003000000');
  const client = await connecting;
  listeners.get('visibilitychange')();
  assert.equal(transport.hear(), '', 'a page that was hidden has nothing to ask');
  document.visibilityState = 'visible';
  listeners.get('visibilitychange')();
  assert.equal(transport.hear(), 'c000');
  time.pass(10_000);
  assert.equal((await client.ended).cause, 'silence');
  assert.equal(listeners.size, 0);
});

for (const [policy, left] of [['reject', ['1', '2']], ['drop-newest', ['1', '2']], ['drop-oldest', ['2', '3']]]) {
  withBroker(`An outbox that is full, with the policy ${policy}`, async (broker) => {
    let isAway = true;
    const server = () => (isAway ? Promise.reject(new Error('away')) : broker);
    const heard = [];
    const listener = await connect(broker);
    await listener.subscribe('a', (message) => heard.push(message.text()));
    const outbox = { maximumMessages: 2, policy };
    const client = await connect(server, { waitForConnection: false, outbox, reconnect: { maximumDelayMillis: 1 } });
    const published = ['1', '2', '3'].map((text) => client.publish('a', text, { qos: 1 }));
    isAway = false;
    const outcomes = await Promise.allSettled(published);
    await settled();
    assert.deepEqual(heard, left);
    const codes = outcomes.flatMap(({ reason }) => (reason ? [reason.code] : []));
    assert.deepEqual(codes, [policy === 'reject' ? 'queue-full' : 'dropped']);
    await client.end();
  });
}

withBroker('A Subscription Identifier of the user comes with the messages', async (broker) => {
  const client = await connect(broker);
  const heard = [];
  await client.subscribe(['a', 'b'], { identifier: 7 }, (message) => heard.push(message.properties.subscriptionIdentifiers));
  await client.subscribe('b', () => {});
  await broker.publish('a', 'x');
  await until(() => heard.length === 1);
  assert.deepEqual(heard, [[7]]);
  await assert.rejects(client.subscribe('c', { identifier: 0 }), { code: 'invalid-options' });
});
