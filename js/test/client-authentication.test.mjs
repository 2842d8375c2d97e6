// Enhanced authentication of a client, and SCRAM-SHA-256.

import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Broker, connect, scramSha256 } from 'mqlite/broker';
import { RawTransport, settled, until } from './support.mjs';

const text = (bytes) => Buffer.from(bytes).toString();
const bytes = (text) => new TextEncoder().encode(text);

// The exchange of RFC 7677, section 3.
const CLIENT_NONCE = 'rOprNGfwEbeRWgbNEkqO';
const CHALLENGE = `r=${CLIENT_NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const PROOF = `c=biws,r=${CLIENT_NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const SIGNATURE = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

/** The first steps of that exchange, with the nonce of the RFC. */
async function begun(context, options = {}) {
  const nonce = Buffer.from(CLIENT_NONCE, 'base64');
  const mocked = context.mock.method(crypto, 'getRandomValues', (array) => (array.set(nonce), array));
  const scram = scramSha256({ userName: 'user', password: 'pencil', ...options });
  assert.equal(text(await scram.begin()), `n,,n=user,r=${CLIENT_NONCE}`);
  mocked.mock.restore();
  return scram;
}

test('SCRAM-SHA-256 says what RFC 7677 says, and knows the server', async (context) => {
  const scram = await begun(context);
  assert.equal(scram.method, 'SCRAM-SHA-256');
  assert.equal(text(await scram.respond(bytes(CHALLENGE))), PROOF);
  await scram.finish(bytes(SIGNATURE));
});

test('A server that does not know the password, or asks for nonsense, is left', async (context) => {
  const refused = { name: 'MqttError', code: 'authentication-failed' };
  for (const final of [undefined, 'v=', `v=${'A'.repeat(43)}=`, SIGNATURE.replace('6rri', '7rri'), 'v=?', 'e=invalid-proof', 'x']) {
    const scram = await begun(context);
    await scram.respond(bytes(CHALLENGE));
    await assert.rejects(async () => scram.finish(final === undefined ? undefined : bytes(final)), refused, String(final));
  }
  for (const challenge of [
    CHALLENGE.replace('r=r', 'r=x'),
    CHALLENGE.replace('%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', ''),
    CHALLENGE.replace('i=4096', 'i=4095'),
    CHALLENGE.replace('i=4096', 'i=1000001'),
    CHALLENGE.replace('i=4096', 'i=99999999999'),
    CHALLENGE.replace('i=4096', 'i=-1'),
    CHALLENGE.replace('s=W22ZaJ0SNY7soEsUEjb6gQ==', 's='),
    CHALLENGE.replace('s=W22ZaJ0SNY7soEsUEjb6gQ==', 's=A'),
    `m=new,${CHALLENGE}`,
    'r=',
    '',
  ]) {
    const scram = await begun(context);
    await assert.rejects(async () => scram.respond(bytes(challenge)), refused, challenge);
  }
  const scram = await begun(context);
  await scram.respond(bytes(CHALLENGE));
  await assert.rejects(async () => scram.respond(bytes(CHALLENGE)), refused, 'a second challenge');
  await assert.rejects(async () => scramSha256({ userName: 'a', password: 'b' }).respond(bytes(CHALLENGE)), refused);
  await assert.rejects(async () => scramSha256({ userName: 'a', password: 'b' }).finish(bytes(SIGNATURE)), refused);
  await (await begun(context, { minimumIterations: 1 })).respond(bytes(CHALLENGE.replace('i=4096', 'i=1')));
});

test('A name is written as SCRAM writes it, and what SASLprep forbids is refused', async () => {
  for (const [userName, written] of [['a,b=c', 'a=2Cb=3Dc'], ['I\u00adX', 'IX'], ['\u2168', 'IX'], ['\u00aa', 'a'], ['a\u00a0b', 'a b']]) {
    assert.match(text(await scramSha256({ userName, password: 'x' }).begin()), new RegExp(`^n,,n=${written},r=`));
  }
  for (const options of [{ userName: '', password: 'x' }, { userName: 'x' }, { userName: 'x', password: '\u0007' }, { userName: 5 }, { user: 'x' }]) {
    assert.throws(() => scramSha256(options), { code: 'invalid-options' });
  }
});

/** A verdict for SCRAM-SHA-256, of a server that knows one password: written from the RFC by itself. */
function scramServer(password, { lies = false } = {}) {
  const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
  let exchange;
  return ({ step, method, data }) => {
    if (method !== 'SCRAM-SHA-256') return { type: 'deny', reason: 0x8c };
    if (step !== 'continue') {
      const bare = text(data).slice(3);
      const nonce = /r=(.*)/.exec(bare)[1] + randomBytes(9).toString('base64');
      const salt = randomBytes(16);
      const first = `r=${nonce},s=${salt.toString('base64')},i=4096`;
      exchange = { bare, nonce, first, salted: pbkdf2Sync(password, salt, 4096, 32, 'sha256') };
      return { type: 'continue', data: bytes(first) };
    }
    const [, channel, nonce, proof] = /^c=(.*),r=(.*),p=(.*)$/.exec(text(data));
    const signed = `${exchange.bare},${exchange.first},c=${channel},r=${nonce}`;
    const stored = createHash('sha256').update(hmac(exchange.salted, 'Client Key')).digest();
    const signature = hmac(stored, signed);
    const key = Buffer.from(proof, 'base64').map((byte, at) => byte ^ signature[at]);
    const isRight = nonce === exchange.nonce && createHash('sha256').update(key).digest().equals(stored);
    if (!isRight && !lies) return { type: 'deny', reason: 0x86 };
    const answer = hmac(hmac(exchange.salted, 'Server Key'), signed).toString('base64');
    return { type: 'allow', data: bytes(`v=${answer}`) };
  };
}

test('A client authenticates with SCRAM at each connection, and anew on one that is open', async (context) => {
  let steps = 0;
  const verdict = scramServer('pencil');
  const broker = await Broker.open({ authenticate: (request) => ((steps += 1), verdict(request)) });
  context.after(() => broker.close());
  let socket;
  const authentication = scramSha256({ userName: 'user', password: 'pencil' });
  const client = await connect(() => (socket = broker.webSocket()), { authentication, reconnect: { maximumDelayMillis: 1 } });
  assert.equal(steps, 2);
  await client.reauthenticate();
  await Promise.all([client.reauthenticate(), client.reauthenticate()]);
  assert.equal(steps, 6, 'two at a time are one');
  socket.close();
  await until(() => client.status !== 'connected');
  await until(() => client.status === 'connected');
  assert.equal(steps, 8);
  const wrong = scramSha256({ userName: 'user', password: 'pen' });
  await assert.rejects(connect(broker, { authentication: wrong }), { code: 'refused', reason: 0x86 });
  await client.end();
  await assert.rejects(client.reauthenticate(), { code: 'interrupted' });
});

test('A server that lets everybody in and does not know the password hears nothing of the client', async (context) => {
  const broker = await Broker.open({ authenticate: scramServer('other', { lies: true }) });
  context.after(() => broker.close());
  const authentication = scramSha256({ userName: 'user', password: 'pencil' });
  const client = await connect(broker, { authentication, waitForConnection: false });
  const published = client.publish('a', 'secret', { qos: 1 });
  const statuses = [];
  client.on('status', (status, { error }) => statuses.push([status, error?.code]));
  await assert.rejects(published, { code: 'interrupted' });
  assert.match((await client.ended).message, /does not prove/);
  assert.deepEqual(statuses, [['ended', 'authentication-failed']], 'it was never connected');
  assert.equal(broker.statistics().messagesReceived, 0);
  await assert.rejects(connect(broker, { authentication }), { code: 'authentication-failed' });
});

test('What a server says before it has shown who it is reaches nobody', async () => {
  for (const isRight of [true, false]) {
    const transport = new RawTransport();
    const heard = [];
    let finish;
    const authentication = {
      method: 'm',
      begin: () => undefined,
      respond: (challenge) => challenge,
      finish: () => new Promise((resolve, reject) => (finish = isRight ? resolve : () => reject(new Error('a stranger')))),
    };
    const connecting = connect(transport, { authentication, onMessage: (message) => heard.push(message.text()) });
    connecting.catch(() => {});
    await until(() => transport.hear().startsWith('10'));
    transport.say('20 07 00 00 04 15 0001 6d  30 05 0001 61 00 78'.replaceAll(' ', ''));
    await until(() => finish);
    await settled();
    assert.deepEqual(heard, []);
    finish();
    if (isRight) await connecting;
    else await assert.rejects(connecting, { code: 'handler-failed', message: /a stranger/ });
    await settled();
    assert.deepEqual(heard, isRight ? ['x'] : []);
    if (isRight) await (await connecting).end();
  }
});

test('A step that fails ends the connection, and what is no step is refused', async (context) => {
  const broker = await Broker.open({ authenticate: () => ({ type: 'continue', data: bytes('?') }) });
  context.after(() => broker.close());
  const steps = { method: 'm', begin: () => undefined, respond: () => bytes('!') };
  const failing = { ...steps, respond: () => Promise.reject(new Error('no key')) };
  await assert.rejects(connect(broker, { authentication: failing }), { code: 'handler-failed', message: /no key/ });
  await assert.rejects(connect(broker, { authentication: { ...steps, respond: () => 'text' } }), { code: 'invalid-options' });
  await assert.rejects(connect(broker, { authentication: { ...steps, begin: () => 'text' } }), { code: 'invalid-options' });
  await assert.rejects(connect(broker, { authentication: { method: 'm' } }), { code: 'invalid-options' });
  const plain = await connect(await Broker.open());
  await assert.rejects(plain.reauthenticate(), { code: 'invalid-options' });
});

test('Whoever authenticates does not fall back to MQTT 3.1.1, which would leave it out', async () => {
  const heard = [];
  const server = () => {
    const transport = new RawTransport();
    transport.send = (bytes) => {
      heard.push(bytes[8]);
      setTimeout(() => transport.say('20020001'));
    };
    return transport;
  };
  const authentication = { method: 'm', begin: () => undefined, respond: (challenge) => challenge };
  await assert.rejects(connect(server, { authentication }), { code: 'refused', reason: 0x84 });
  await settled();
  assert.deepEqual(heard, [5]);
});
