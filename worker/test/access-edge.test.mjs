// What the worker alone does of letting in: what an upgrade says, over a sleep; whose failures count; rooms; a hook; a key set.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { upgrade } from '../../tests/interop/access/peers.mjs';
import { hs256, JWT_SECRET } from '../../tests/interop/access/signing.mjs';
import { connect as open, scramSha256 } from 'mqlite';
import { startSteered } from './steering.mjs';

const vectors = await import('../../tests/vectors/access.json', { with: { type: 'json' } });
const PASSWORD = 'pencil and paper';

const authentication = { passwordIterations: 1_000, failuresPerMinute: 3, jwt: {} };
const keys = createServer((_, response) => response.end(JSON.stringify(vectors.default.jwks)));
let workerd;
before(async () => {
  await once(keys.listen(0, '127.0.0.1'), 'listening');
  const jwt = { jwksUrl: `http://127.0.0.1:${keys.address().port}/` };
  const rooms = {
    open: { authentication: { ...authentication, anonymous: true, anonymousGrants: [{ filter: 'public/#' }] } },
    default: { authentication: { jwt } },
    passwords: { authentication: { passwordIterations: 1_000 } },
    patience: { authentication: { passwordIterations: 100_000, failuresPerMinute: 10 } },
  };
  workerd = await startSteered({ settings: { authentication, rooms }, variables: { JWT_SECRET } });
});
after(async () => {
  keys.close();
  await workerd.stop();
});

const putUser = (room, name, change = { password: PASSWORD }) => room.steer('putUser', { name }, JSON.stringify(change));

/** A room whose time stands still, so that no failure is forgotten. */
async function stillRoom(name) {
  const room = workerd.room(name);
  await room.time(Date.now());
  return room;
}

/** Connects with MQTT.js from an address, and resolves with the client. */
const connect = (room, { from, token, query = '', ...options } = {}) => {
  const headers = { ...(from && { 'CF-Connecting-IP': from }), ...(token && { Authorization: `Bearer ${token}` }) };
  return mqtt.connectAsync(room.url + query, { protocolVersion: 5, reconnectPeriod: 0, wsOptions: { headers }, ...options }, false);
};

async function letIn(room, options) {
  const client = await connect(room, options);
  await client.endAsync(true);
}

const statusOf = async (room, token) => (await upgrade(room.url, { Authorization: `Bearer ${token}` })).statusCode;

const refused = (code, room, options) => assert.rejects(letIn(room, options), { code });

test('Whose address has failed too often is refused, whoever it says it is, and others are let in', async () => {
  const room = await stillRoom('addresses');
  await putUser(room, 'ada');
  for (const username of ['one', 'two', 'three']) await refused(0x86, room, { from: '192.0.2.1', username, password: 'wrong' });
  await refused(0x9f, room, { from: '192.0.2.1', username: 'four', password: 'wrong' });
  await refused(0x9f, room, { from: '192.0.2.1', username: 'ada', password: PASSWORD });
  await letIn(room, { from: '192.0.2.2', username: 'ada', password: PASSWORD });
});

test('All addresses of one IPv6 network count as one', async () => {
  const room = await stillRoom('networks');
  await putUser(room, 'ada');
  for (const from of ['2001:db8::1', '2001:DB8:0:0::2', '2001:db8:0:0:9:9:9:9']) await refused(0x86, room, { from, username: `user of ${from}`, password: 'wrong' });
  await refused(0x9f, room, { from: '2001:db8::4', username: 'ada', password: PASSWORD });
  await letIn(room, { from: '2001:db8:0:1::1', username: 'ada', password: PASSWORD });
});

test('Who tries the name of a user keeps others out, but not the user from where the user was before', async () => {
  const room = await stillRoom('names');
  await putUser(room, 'ada');
  await letIn(room, { from: '192.0.2.10', username: 'ada', password: PASSWORD });
  for (const number of [1, 2, 3]) await refused(0x86, room, { from: `198.51.100.${number}`, username: 'ada', password: 'wrong' });
  await refused(0x9f, room, { from: '198.51.100.4', username: 'ada', password: PASSWORD });
  await letIn(room, { from: '192.0.2.10', username: 'ada', password: PASSWORD });
  for (const number of [1, 2, 3]) await refused(0x86, room, { from: '192.0.2.10', username: 'ada', password: `wrong ${number}` });
  await refused(0x9f, room, { from: '192.0.2.10', username: 'ada', password: PASSWORD });
});

test('Failures are not forgotten by a sleep, and are by time', async () => {
  const room = await stillRoom('sleeps');
  await putUser(room, 'ada');
  for (let round = 0; round < 3; round += 1) await refused(0x86, room, { username: 'ada', password: 'wrong' });
  await room.steer('sleep');
  await refused(0x9f, room, { username: 'ada', password: PASSWORD });
  await room.time(Date.now() + 61_000);
  await letIn(room, { username: 'ada', password: PASSWORD });
});

test('Many who try at once do not get more attempts', async () => {
  const room = await stillRoom('crowd');
  await putUser(room, 'ada');
  const answers = await Promise.allSettled(Array.from({ length: 30 }, (_, number) => letIn(room, { username: 'ada', password: `guess ${number}` })));
  assert.equal(answers.filter(({ reason }) => reason.code === 0x86).length, 3);
  assert.equal(answers.filter(({ reason }) => reason.code === 0x9f).length, 27);
});

test('Who has just failed waits for a turn, of whom few may, and nobody else does', async () => {
  const room = await stillRoom('patience');
  for (const name of ['ada', 'bob']) await putUser(room, name);
  await refused(0x86, room, { username: 'ada', password: 'wrong' });
  const order = [];
  const attempt = (username, password) => letIn(room, { username, password }).then(() => order.push(`${username} is let in`), ({ code }) => order.push(code));
  await Promise.all([...['one', 'two', 'three', 'four'].map((password) => attempt('ada', password)), attempt('bob', PASSWORD)]);
  assert.deepEqual(order.slice(0, 3).toSorted(), [0x9f, 0x9f, 'bob is let in']);
  assert.deepEqual(order.slice(3), [0x86, 0x86]);
  await letIn(room, { username: 'ada', password: PASSWORD });
});

test('Many who try by SCRAM at once do not get more attempts, nor keep anybody out for longer', async () => {
  const room = await stillRoom('proofs');
  await putUser(room, 'ada');
  const all = Promise.withResolvers();
  let waiting = 30;
  const attempt = () => {
    const { respond, ...rest } = scramSha256({ userName: 'ada', password: 'wrong', minimumIterations: 1_000 });
    const together = async (challenge) => {
      const answer = await respond(challenge);
      waiting -= 1;
      if (waiting === 0) all.resolve();
      await all.promise;
      return answer;
    };
    return open(room.url, { reconnect: false, responseTimeoutMillis: 30_000, authentication: { ...rest, respond: together } });
  };
  const answers = await Promise.allSettled(Array.from({ length: waiting }, attempt));
  assert.equal(answers.filter(({ reason }) => reason.reason === 0x86).length, 3);
  assert.equal(answers.filter(({ reason }) => reason.reason === 0x9f).length, 27);
  await room.time(Date.now() + 61_000);
  await letIn(room, { username: 'ada', password: PASSWORD });
});

test('Many who are right at once are all let in', async () => {
  const room = workerd.room('fleet');
  await putUser(room, 'ada');
  await Promise.all(Array.from({ length: 30 }, () => letIn(room, { username: 'ada', password: PASSWORD })));
});

test('Whoever tries ever new names costs no more work at some point, and who was here before is let in', async () => {
  const room = await stillRoom('swarm');
  for (const name of ['ada', 'grace']) await putUser(room, name);
  await letIn(room, { username: 'ada', password: PASSWORD });
  const tries = Array.from({ length: 100 }, (_, number) => letIn(room, { username: `name ${number}`, password: 'wrong' }));
  const codes = (await Promise.allSettled(tries)).map(({ reason }) => reason.code);
  assert.equal(codes.filter((code) => code === 0x86).length, 90);
  assert.equal(codes.filter((code) => code === 0x9f).length, 10);
  await letIn(room, { username: 'ada', password: PASSWORD });
  await refused(0x9f, room, { username: 'ada', password: 'wrong' });
  await refused(0x9f, room, { username: 'grace', password: PASSWORD });
});

test('Tokens that nobody has signed count for the address that brings them, and expired ones do not', async () => {
  const room = await stillRoom('tokens');
  const forged = hs256({ room: '*' }, { secret: 'another secret, and a long one as well' });
  for (let round = 0; round < 5; round += 1) await refused(0x87, room, { from: '203.0.113.1', username: 'x', password: hs256({ exp: 1, room: '*' }) });
  for (let round = 0; round < 3; round += 1) await refused(0x86, room, { from: '203.0.113.1', username: 'x', password: forged });
  await refused(0x9f, room, { from: '203.0.113.1', username: 'x', password: hs256({ room: '*' }) });
  await letIn(room, { from: '203.0.113.2', username: 'x', password: hs256({ room: '*' }) });
});

test('Tokens that nobody has signed, however many and from however many addresses, keep no user out', async () => {
  const room = await stillRoom('forgeries');
  await putUser(room, 'ada');
  const password = hs256({ room: '*' }, { secret: 'another secret, and a long one as well' });
  const from = (address) => Array.from({ length: 10 }, () => letIn(room, { from: `203.0.113.${address}`, username: 'x', password }));
  const answers = await Promise.allSettled(Array.from({ length: 40 }, (_, address) => from(address)).flat());
  assert.equal(answers.filter(({ reason }) => reason.code === 0x86).length, 3 * 40);
  assert.equal(answers.filter(({ reason }) => reason.code === 0x9f).length, 7 * 40);
  await letIn(room, { username: 'ada', password: PASSWORD });
});

test('What the upgrade brought is known after a sleep before CONNECT', async () => {
  const room = workerd.room('waits');
  const token = hs256({ sub: 'zoë 🔑', room: 'waits', grants: [{ filter: 'doors/%u/#' }] });
  const sockets = [`?access_token=${token}`, ''].map((query) => new WebSocket(room.url + query, 'mqtt'));
  for (const socket of sockets) socket.binaryType = 'arraybuffer';
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  await room.steer('sleep');
  const answers = sockets.map((socket) => once(socket, 'message'));
  for (const socket of sockets) socket.send(Buffer.from(`101400044d5154540502000000000777616974696e${socket === sockets[0] ? '67' : '68'}`, 'hex'));
  const [[{ data: welcome }], [{ data: refusal }]] = await Promise.all(answers);
  assert.equal(Buffer.from(welcome).readUInt8(3), 0x00);
  assert.equal(Buffer.from(refusal).readUInt8(3), 0x87);
  const heard = once(sockets[0], 'message');
  const filter = Buffer.from('doors/zoë 🔑/a');
  sockets[0].send(Buffer.concat([Buffer.from([0x82, 6 + filter.length, 0, 1, 0, 0, filter.length]), filter, Buffer.from([1])]));
  const [{ data: suback }] = await heard;
  assert.equal(Buffer.from(suback).toString('hex'), '9004000100' + '01');
  for (const socket of sockets) socket.close();
});

test('A token that says more than an upgrade can keep is to be the password', async () => {
  const room = workerd.room('long');
  const grants = Array.from({ length: 100 }, (_, number) => ({ filter: `a/rather/long/filter/number/${number}` }));
  const token = hs256({ room: 'long', grants });
  assert.equal(await statusOf(room, token), 431);
  const client = await connect(room, { username: 'x', password: token });
  assert.deepEqual((await client.subscribeAsync('a/rather/long/filter/number/99', { qos: 1 })).map(({ qos }) => qos), [1]);
  await client.endAsync(true);
});

test('A room knows its own users, and its own tokens', async () => {
  const [one, other] = ['east', 'west'].map((name) => workerd.room(name));
  await putUser(one, 'ada');
  await letIn(one, { username: 'ada', password: PASSWORD });
  await refused(0x86, other, { username: 'ada', password: PASSWORD });
  const password = hs256({ room: ['east'] });
  await letIn(one, { username: 'x', password });
  await refused(0x87, other, { username: 'x', password });
  assert.equal(await statusOf(other, password), 401);
  assert.equal((await upgrade(other.url, {}, `?access_token=${password}`)).statusCode, 401);
});

test('No name of a room, and no header, leads to another room', async () => {
  const east = workerd.room('east');
  const watcher = await connect(east, { username: 'x', password: hs256({ room: 'east' }) });
  const heard = [];
  watcher.on('message', (topic) => heard.push(topic));
  await watcher.subscribeAsync(['#', '+/#', '/#'], { qos: 1 });
  const west = await connect(workerd.room('west'), { username: 'x', password: hs256({ room: 'west' }) });
  for (const topic of ['a', '/a', 'east/a', '../east/a', 'mqtt/east/a']) await west.publishAsync(topic, 'x', { qos: 1, retain: true });
  await watcher.publishAsync('end', 'x', { qos: 1 });
  while (!heard.includes('end')) await once(watcher, 'message');
  assert.deepEqual(new Set(heard), new Set(['end']));
  for (const path of ['east%2f..%2fwest', '..%2feast', 'east%00', 'east/', 'EAST%20', 'east?room=west&access_token=']) {
    await assert.rejects(connect({ url: `${east.url}`.replace(/east$/, path) }, { username: 'x', password: hs256({ room: 'west' }) }));
  }
  await Promise.all([watcher, west].map((client) => client.endAsync(true)));
});

test('Who is anonymous has the rights of those, and users have theirs, in one room', async () => {
  const room = workerd.room('open');
  await putUser(room, 'ada');
  const anonymous = await connect(room);
  assert.deepEqual((await anonymous.subscribeAsync('public/a', { qos: 1 })).map(({ qos }) => qos), [1]);
  await assert.rejects(anonymous.subscribeAsync('private/a', { qos: 1 }));
  const user = await connect(room, { username: 'ada', password: PASSWORD });
  assert.deepEqual((await user.subscribeAsync('private/a', { qos: 1 })).map(({ qos }) => qos), [1]);
  await Promise.all([anonymous, user].map((client) => client.endAsync(true)));
  await refused(0x86, room, { username: 'ada', password: 'wrong' });
  await refused(0x86, room, { username: 'ada' });
});

test('The keys of a key set let in, and no others', async () => {
  const room = workerd.room('default');
  await room.time(vectors.default.now * 1000);
  const tokenOf = (wanted) => vectors.default.tokens.find(({ name }) => name === wanted).token;
  for (const name of ['RS256', 'ES256', 'EdDSA']) await letIn(room, { username: 'x', password: tokenOf(`${name} by the JWKS`) });
  for (const name of ['another key under a name of the JWKS', 'a name that the JWKS does not have', 'HS256 with the public key as the secret, by the JWKS', 'alg none']) {
    await refused(0x86, room, { username: 'x', password: tokenOf(name) });
  }
});

test('Where no token is meant, one is a password like any other, and no upgrade takes it', async () => {
  const room = workerd.room('passwords');
  const token = hs256({ room: '*' });
  await refused(0x86, room, { username: 'ada', password: token });
  assert.equal(await statusOf(room, token), 401);
  await putUser(room, 'ada', { password: token });
  await letIn(room, { username: 'ada', password: token });
});

test('A user who is removed is let in no more', async () => {
  const room = workerd.room('removed');
  await putUser(room, 'ada');
  await letIn(room, { username: 'ada', password: PASSWORD });
  assert.equal(await room.steer('removeUser', { name: 'ada' }), true);
  await refused(0x86, room, { username: 'ada', password: PASSWORD });
  assert.equal(await room.steer('removeUser', { name: 'ada' }), false);
});

test('A user who is removed, or has another password, while proving the former one is not let in', async () => {
  const room = workerd.room('meanwhile');
  for (const change of [() => room.steer('removeUser', { name: 'ada' }), () => putUser(room, 'ada', { password: 'another password' })]) {
    await putUser(room, 'ada');
    const { respond, ...rest } = scramSha256({ userName: 'ada', password: PASSWORD, minimumIterations: 1_000 });
    const late = async (challenge) => {
      const answer = await respond(challenge);
      await change();
      return answer;
    };
    await assert.rejects(open(room.url, { reconnect: false, authentication: { ...rest, respond: late } }), { reason: 0x86 });
  }
});

test('Users outlive a sleep and a crash, and travel with an export', async () => {
  const [from, to] = ['from', 'to'].map((name) => workerd.room(name));
  await putUser(from, 'ada');
  await from.steer('sleep');
  await letIn(from, { username: 'ada', password: PASSWORD });
  await from.steer('abort');
  await letIn(from, { username: 'ada', password: PASSWORD });
  await to.import(await from.export());
  await letIn(to, { username: 'ada', password: PASSWORD });
});
