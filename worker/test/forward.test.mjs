// Messages that go to web servers, to other Workers and to Queues.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { receive } from './receiver.mjs';
import { startSteered } from './steering.mjs';

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes....').toString('base64')}`;

const NO_KEY =
  'There is no "maximumAtempts" of a forward: there are name, filter, qos, queue, service, webhook, loopback, signature, headersFrom, ' +
  'batch, maximumAttempts, minimumDelayMillis, maximumDelayMillis, timeoutMillis, deadLetter.';
const ADMIN_TOKEN = 'the-token-of-the-administrator-of-all-rooms';
const HEADERS = JSON.stringify({ Authorization: 'Bearer the-token-of-the-operator' });

/** The Worker that a Service binding leads to: tells `port` what it got. */
const service = (port, path) => `export default {
  async fetch(request) {
    const body = await request.text();
    const { status } = await fetch('http://127.0.0.1:${port}/${path}?' + request.url, { method: 'POST', body, headers: request.headers });
    return new Response(null, { status });
  },
};`;

let hook;
let workerd;
const log = [];
before(async () => {
  hook = await receive();
  const quick = { webhook: hook.url, loopback: true, maximumAttempts: 1000, minimumDelayMillis: 10, maximumDelayMillis: 50 };
  const rooms = {
    plain: { forward: [{ name: 'all', filter: 'tide/#', ...quick }] },
    signed: { forward: [{ name: 'signed', filter: 'tide/#', ...quick, signature: 'HOOK_SECRET', headersFrom: 'HOOK_HEADERS' }] },
    batched: { forward: [{ name: 'batched', filter: 'tide/#', ...quick, batch: 10 }] },
    buried: { forward: [{ name: 'buried', filter: 'tide/#', ...quick, maximumAttempts: 3, deadLetter: { topic: 'tide/dead' } }] },
    claimed: { forward: [{ name: 'claimed', filter: 'tide/#', ...quick, maximumAttempts: 2, deadLetter: { topic: 'grave/claimed' } }] },
    crossed: {
      forward: [
        { name: 'one', filter: 'one/#', ...quick, maximumAttempts: 2, deadLetter: { topic: '$delayed/0/two/dead' } },
        { name: 'two', filter: 'two/#', ...quick, maximumAttempts: 2, deadLetter: { topic: 'one/dead' } },
      ],
    },
    bulky: { forward: [{ name: 'bulky', filter: 'tide/#', ...quick, maximumAttempts: 2, deadLetter: { topic: 'dead' } }] },
    sleepy: { forward: [{ name: 'sleepy', filter: 'tide/#', ...quick, minimumDelayMillis: 60_000, maximumDelayMillis: 600_000 }] },
    dozing: { forward: [{ name: 'dozing', filter: 'tide/#', ...quick, minimumDelayMillis: 2_000, maximumDelayMillis: 2_000 }] },
    replaced: { forward: [{ name: 'replaced', filter: 'tide/#', ...quick, batch: 10 }] },
    single: { limits: { maximumConnectionsPerUser: 1 }, forward: ['one', 'two'].map((name) => ({ name, filter: 'tide/#', ...quick })) },
    serviced: { forward: [{ name: 'serviced', filter: 'tide/#', service: 'CONSUMER' }] },
    faulty: {
      forward: [
        { name: 'no target', filter: 'a' },
        { name: 'plain-http', filter: 'a', webhook: 'http://example.org/' },
        { name: 'this-machine', filter: 'a', webhook: 'https://127.0.0.1/' },
        { name: 'no-service', filter: 'a', service: 'NOBODY' },
        { name: 'no-secret', filter: 'a', ...quick, signature: 'NOTHING' },
        { name: 'bad-headers', filter: 'a', ...quick, headersFrom: 'HOOK_SECRET' },
        { name: 'bad-secret', filter: 'a', ...quick, signature: 'BAD_SECRET' },
        { name: 'empty-secret', filter: 'a', ...quick, signature: 'EMPTY_SECRET' },
        { name: 'no-attempts', filter: 'a', ...quick, maximumAttempts: 0 },
        { name: 'misspelt', filter: 'a', ...quick, maximumAtempts: 3 },
        { name: 'bad-filter', filter: 'a/#/b', ...quick },
        { name: 'bad-loopback', filter: 'a', ...quick, loopback: 'yes' },
        { name: 'dead-nowhere', filter: 'a', ...quick, deadLetter: 'dead' },
        { name: 'dead-twice', filter: 'a', ...quick, deadLetter: { topic: 'dead', queue: 'DEAD' } },
        { name: 'dead-anywhere', filter: 'a', ...quick, deadLetter: { topic: 'dead/#' } },
        { name: 'good', filter: 'a', ...quick },
        { name: 'good', filter: 'b', ...quick },
      ],
    },
  };
  workerd = await startSteered({
    settings: { rooms, log: { level: 'debug' } },
    variables: { HOOK_SECRET: SECRET, BAD_SECRET: 'whsec_not-base64', EMPTY_SECRET: '', HOOK_HEADERS: HEADERS, ADMIN_TOKEN },
    peers: { CONSUMER: service(hook.port, 'service') },
    log: (line) => log.push(line),
  });
});
after(async () => {
  await workerd.stop();
  await hook.stop();
});

const connect = (room, options = {}) =>
  mqtt.connectAsync(workerd.room(room).url, { protocolVersion: 5, reconnectPeriod: 0, ...options });

/** What has come for a room. */
const of = (room) => hook.requests.filter(({ json }) => json?.room === room);

test('A message that matches is posted to a webhook as JSON, once, and others are not', async () => {
  const client = await connect('plain');
  await client.publishAsync('other', 'no', { qos: 1 });
  const properties = { contentType: 'text/plain', responseTopic: 'r', correlationData: Buffer.from([1, 2]), userProperties: { a: 'b' } };
  await client.publishAsync('tide/low', '06:12', { qos: 1, retain: true, properties });
  await client.publishAsync('tide/raw', Buffer.from([0xff, 0xfe]), { qos: 2 });
  await client.publishAsync('tide/quick', 'at most once');
  await hook.until(() => of('plain').length === 3);
  const [first, second, third] = of('plain').map(({ json }) => json);
  const { id, ...message } = first.messages[0];
  assert.match(id, /^plain\/all\/[0-9a-f]{8}-1$/);
  assert.deepEqual(first, { room: 'plain', forward: 'all', messages: [{ id, ...message }] });
  assert.deepEqual(message, {
    topic: 'tide/low',
    payload: '06:12',
    qos: 1,
    retain: true,
    contentType: 'text/plain',
    responseTopic: 'r',
    correlationDataBase64: 'AQI=',
    userProperties: [['a', 'b']],
  });
  assert.equal(second.messages[0].payloadBase64, '//4=');
  assert.deepEqual([third.messages[0].topic, third.messages[0].qos], ['tide/quick', 0]);
  const { method, headers } = of('plain')[0];
  assert.deepEqual([method, headers['content-type'], headers['webhook-signature']], ['POST', 'application/json', undefined]);
  await client.endAsync();
});

test('A request is signed as Standard Webhooks says, and has the headers of its secret', async () => {
  const client = await connect('signed');
  await client.publishAsync('tide/low', '06:12', { qos: 1 });
  await hook.until(() => of('signed').length === 1);
  const [{ headers, body, json }] = of('signed');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  assert.equal(headers['webhook-id'], json.messages[0].id);
  assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 60);
  assert.equal(headers.authorization, 'Bearer the-token-of-the-operator');
  await client.endAsync();
});

test('What fails is tried again with the same identifier, and what comes after it waits', async () => {
  const client = await connect('plain');
  const before = of('plain').length;
  let failures = 0;
  hook.answer = ({ json }) => (json.messages[0].payload === 'first' && failures++ < 3 ? 500 : 200);
  await Promise.all(['first', 'second'].map((payload) => client.publishAsync('tide/again', payload, { qos: 1 })));
  await hook.until(() => of('plain').length === before + 5);
  const messages = of('plain').slice(before).map(({ json }) => json.messages[0]);
  assert.deepEqual(messages.map(({ payload }) => payload), ['first', 'first', 'first', 'first', 'second']);
  assert.equal(new Set(messages.slice(0, 4).map(({ id }) => id)).size, 1);
  assert.notEqual(messages[4].id, messages[0].id);
  await client.endAsync();
});

test('A redirect is not followed: it is a failure', async () => {
  const client = await connect('plain');
  const before = of('plain').length;
  let redirects = 0;
  hook.answer = () => (redirects++ < 2 ? { status: 307, headers: { location: '/elsewhere' } } : 200);
  await client.publishAsync('tide/moved', 'x', { qos: 1 });
  await hook.until(() => of('plain').length === before + 3);
  assert.deepEqual(new Set(hook.requests.map(({ path }) => path)), new Set(['/hook']));
  await client.endAsync();
});

test('Messages that wait are delivered together, in order, as many as a batch may have', async () => {
  const client = await connect('batched');
  let isOpen = false;
  hook.answer = () => (isOpen ? 200 : 503);
  const payloads = Array.from({ length: 25 }, (_, number) => `${number}`);
  await client.publishAsync('tide/n', payloads[0], { qos: 1 });
  await hook.until(() => of('batched').length > 0);
  for (const payload of payloads.slice(1)) await client.publishAsync('tide/n', payload, { qos: 1 });
  isOpen = true;
  await hook.until(() => hook.taken.filter(({ id }) => id.startsWith('batched/')).length === 25);
  const taken = of('batched').filter(({ status }) => status === 200);
  assert.deepEqual(taken.flatMap(({ json }) => json.messages.map(({ payload }) => payload)), payloads);
  assert.deepEqual(taken.map(({ json }) => json.messages.length), [1, 10, 10, 4]);
  await client.endAsync();
});

test('A message whose attempts are used up goes to the topic of the dead letter once, with the reason, and the next one is tried', async () => {
  const client = await connect('buried');
  hook.answer = ({ json }) => (/bad|dead/.test(json.messages[0].topic) ? 400 : 200);
  const dead = new Promise((resolve) => client.once('message', (_topic, payload, { properties }) => resolve({ payload, properties })));
  await client.subscribeAsync('tide/dead', { qos: 1 });
  await client.publishAsync('tide/bad', 'bad', { qos: 1, properties: { contentType: 'text/plain' } });
  await client.publishAsync('tide/good', 'good', { qos: 1 });
  const { payload, properties } = await dead;
  assert.equal(`${payload}`, 'bad');
  const { contentType, userProperties } = properties;
  const { id, ...told } = { ...userProperties };
  assert.deepEqual([contentType, told], ['text/plain', { 'dead-letter-of': 'buried', topic: 'tide/bad', attempts: '3', reason: 'The answer was 400.' }]);
  assert.equal(id, of('buried')[0].json.messages[0].id);
  // The dead letter itself matches the filter: it is tried as often, and then lost instead of buried for ever.
  await hook.until(() => of('buried').length === 7);
  await logged('forwardLost');
  const topics = of('buried').map(({ json }) => json.messages[0].topic);
  assert.deepEqual(topics, ['tide/bad', 'tide/bad', 'tide/bad', 'tide/good', 'tide/dead', 'tide/dead', 'tide/dead']);
  assert.deepEqual(await workerd.room('buried').steer('forwards'), [
    { name: 'buried', delivered: 1, attemptsFailed: 6, deadLettered: 1, lost: 1, waiting: 0 },
  ]);
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  const metrics = await (await fetch(`http://127.0.0.1:${new URL(workerd.room('buried').url).port}/rooms/buried/metrics`, { headers })).text();
  assert.deepEqual(metrics.match(/^mqlite_forward.*$/gm), [
    'mqlite_forward_delivered_total{forward="buried"} 1',
    'mqlite_forward_attempts_failed_total{forward="buried"} 6',
    'mqlite_forward_dead_lettered_total{forward="buried"} 1',
    'mqlite_forward_lost_total{forward="buried"} 1',
    'mqlite_forward_waiting{forward="buried"} 0',
  ]);
  await client.endAsync();
});

test('The limits of a user are not about forwards', async () => {
  const client = await connect('single');
  hook.answer = () => 200;
  await client.publishAsync('tide/low', '06:12', { qos: 1 });
  await hook.until(() => of('single').length === 2);
  assert.deepEqual(new Set(of('single').map(({ json }) => json.forward)), new Set(['one', 'two']));
  await client.endAsync();
});

/** Resolves when so many attempts have failed. */
async function failed(room, count) {
  while ((await room.steer('forwards'))[0].attemptsFailed < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('When a room is replaced by a backup nothing of what it had is delivered, and no identifier is used again', async () => {
  const room = workerd.room('replaced');
  await room.time(1_000_000);
  const client = await connect('replaced');
  const isOpen = { first: false, others: false };
  hook.answer = ({ json }) => ((json.messages[0].payload === 'first' ? isOpen.first : isOpen.others) ? 200 : 503);
  const publish = async (publisher, ...payloads) => {
    for (const payload of payloads) await publisher.publishAsync('tide/n', payload, { qos: 1 });
  };
  await publish(client, 'first', 'kept');
  const file = await room.export();
  await publish(client, 'lost 1', 'lost 2');
  await failed(room, 1);
  isOpen.first = true;
  await room.time(1_001_000);
  await failed(room, 2);
  assert.equal(of('replaced').at(-1).json.messages.length, 3, 'those that were tried have their numbers');
  await room.import(file);
  isOpen.others = true;
  await room.time(1_002_000);
  const again = await connect('replaced');
  await publish(again, 'new 1', 'new 2');
  const taken = () => hook.taken.filter(({ id }) => id.startsWith('replaced/'));
  await hook.until(() => taken().some(({ payload }) => payload === 'new 2'));
  assert.deepEqual(taken().map(({ payload }) => payload), ['first', 'first', 'kept', 'new 1', 'new 2']);
  assert.equal(new Set(taken().map(({ id }) => id)).size, 5);
  for (const it of [client, again]) await it.endAsync(true);
});

test('A Service binding gets a request', async () => {
  hook.answer = () => 200;
  const client = await connect('serviced');
  await client.publishAsync('tide/low', '06:12', { qos: 1 });
  await hook.until(() => of('serviced').length === 1);
  const [{ path, json }] = of('serviced');
  assert.match(path, /^\/service\?https:\/\/mqlite\.invalid\/serviced$/);
  assert.equal(json.messages[0].payload, '06:12');
  await client.endAsync();
});

test('What waits outlives sleep: the alarm wakes the room, which goes on with the same identifier', async () => {
  const room = workerd.room('sleepy');
  await room.time(1_000_000);
  const client = await connect('sleepy');
  hook.answer = () => 503;
  await client.publishAsync('tide/asleep', 'x', { qos: 1 });
  for (let attempt = 1; attempt < 4; attempt += 1) {
    await hook.until(() => of('sleepy').length === attempt);
    const alarmAt = await armed(room, attempt);
    await room.steer('sleep');
    assert.equal((await room.facts()).alarmAt, alarmAt);
    if (attempt === 3) hook.answer = () => 200;
    const { started } = await room.facts();
    await room.time(alarmAt);
    assert.equal((await room.facts()).started, started + 1, 'the alarm alone has woken it');
  }
  await hook.until(() => of('sleepy').length === 4);
  const tried = of('sleepy').map(({ status, json }) => [status, json.messages[0].id]);
  assert.deepEqual(tried, [503, 503, 503, 200].map((status) => [status, tried[0][1]]));
  await client.endAsync();
});

/** Resolves with when the next attempt is due, once the one of this number has failed. */
async function armed(room, attempt) {
  for (;;) {
    const [{ attemptsFailed }] = await room.steer('forwards');
    const { alarmAt } = await room.facts();
    if (attemptsFailed > 0) {
      const delay = 60_000 * 2 ** (attempt - 1);
      const { now } = await room.facts();
      assert.ok(alarmAt - now >= delay / 2 && alarmAt - now <= delay, `attempt ${attempt}: ${alarmAt - now}`);
      return alarmAt;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('The alarm of the platform itself wakes the room', async () => {
  const room = workerd.room('dozing');
  const client = await connect('dozing');
  hook.answer = () => 503;
  await client.publishAsync('tide/asleep', 'x', { qos: 1 });
  await hook.until(() => of('dozing').length === 1);
  await failed(room, 1);
  await room.steer('sleep');
  const { started } = await room.facts();
  hook.answer = () => 200;
  await hook.until(() => of('dozing').length === 2);
  assert.equal((await room.facts()).started, started + 1);
  await client.endAsync();
});

test('What is wrong with a forward is said in one sentence, and the others work', async () => {
  const client = await connect('faulty');
  const lines = log.filter((line) => line.includes('"faulty"') && line.includes('forwardRefused')).map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ forward, message }) => [forward, message]), [
    ['no target', 'The name of a forward is 1 to 64 letters, digits, dots, underscores or hyphens.'],
    ['plain-http', 'The address of a webhook begins with https:.'],
    ['this-machine', 'The webhook is of this machine, which needs "loopback": true.'],
    ['no-service', 'There is no binding "NOBODY" of a Service.'],
    ['no-secret', 'There is no secret "NOTHING".'],
    ['bad-headers', 'The secret "HOOK_SECRET" must be a JSON object whose keys and texts make headers.'],
    ['bad-secret', 'The secret "BAD_SECRET" must be a text, or whsec_ and base64.'],
    ['empty-secret', 'The secret "EMPTY_SECRET" must be a text, or whsec_ and base64.'],
    ['no-attempts', 'The maximumAttempts of a forward is a whole number from 1 to 1000.'],
    ['misspelt', NO_KEY],
    ['bad-filter', 'A forward needs a filter, which is a Topic Filter.'],
    ['bad-loopback', 'The loopback of a forward is true or false.'],
    ['dead-nowhere', 'The deadLetter of a forward is an object with topic, or with queue.'],
    ['dead-twice', 'The deadLetter of a forward is an object with topic, or with queue.'],
    ['dead-anywhere', 'The topic of a deadLetter is a Topic Name, without wildcards.'],
    ['good', 'Another forward has this name.'],
  ]);
  await client.publishAsync('a', 'x', { qos: 1 });
  await hook.until(() => of('faulty').length === 1);
  await client.endAsync();
});

test('Nobody else connects with the Client Identifier of a forward', async () => {
  await assert.rejects(connect('plain', { clientId: '$forward/all', clean: false }), { code: 0x85 });
});

test('Who looks at the clients of a room does not find its forwards among them', async () => {
  const client = await connect('batched', { clientId: '#before' });
  const other = await connect('batched', { clientId: 'behind' });
  const ask = async (query) => {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
    const { clients, next } = await (await fetch(`http://127.0.0.1:${workerd.port}/rooms/batched/clients?${query}`, { headers })).json();
    return [clients.map(({ clientId }) => clientId), next];
  };
  assert.deepEqual(await ask(''), [['#before', 'behind'], undefined]);
  assert.deepEqual(await ask('limit=1'), [['#before'], '#before']);
  assert.deepEqual(await ask('limit=1&after=%23before'), [['behind'], undefined]);
  await Promise.all([client.endAsync(), other.endAsync()]);
});

test('What a client says of a dead letter keeps its message from none', async () => {
  const client = await connect('claimed');
  hook.answer = () => 400;
  const dead = new Promise((resolve) => client.once('message', (_topic, payload) => resolve(`${payload}`)));
  await client.subscribeAsync('grave/claimed', { qos: 1 });
  await client.publishAsync('tide/bad', 'bad', { qos: 1, properties: { userProperties: { 'dead-letter-of': 'claimed' } } });
  assert.equal(await dead, 'bad');
  const [{ deadLettered, lost }] = await workerd.room('claimed').steer('forwards');
  assert.deepEqual({ deadLettered, lost }, { deadLettered: 1, lost: 0 });
  await client.endAsync();
});

test('Two forwards that take each other\'s dead letters do not go on for ever, not even with a delay', async () => {
  const client = await connect('crossed');
  hook.answer = () => 400;
  await client.publishAsync('one/bad', 'bad', { qos: 1 });
  await hook.until(() => of('crossed').length === 4);
  const lost = async () => (await workerd.room('crossed').steer('forwards')).map(({ deadLettered, lost }) => [deadLettered, lost]);
  while ((await lost())[1][1] === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(await lost(), [[1, 0], [0, 1]]);
  assert.deepEqual(of('crossed').map(({ json }) => json.messages[0].topic), ['one/bad', 'one/bad', 'two/dead', 'two/dead']);
  await client.endAsync();
});

test('No secret is in the log', () => {
  assert.ok(log.length > 10);
  for (const secret of [SECRET, 'the-token-of-the-operator', '06:12']) assert.ok(!log.some((line) => line.includes(secret)), secret);
});

/** Resolves when the log has a line with this event. */
async function logged(event) {
  while (!log.some((line) => line.includes(`"${event}"`))) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('A message that is too large for the dead letter is lost, and keeps none back', async () => {
  const client = await connect('bulky');
  hook.answer = ({ json }) => (json.messages[0].topic === 'tide/bad' ? 400 : 200);
  await client.publishAsync('tide/bad', 'x'.repeat((1 << 20) - 50), { qos: 1 });
  await client.publishAsync('tide/good', 'good', { qos: 1 });
  await hook.until(() => of('bulky').some(({ json }) => json.messages[0].topic === 'tide/good'));
  const [{ lost, deadLettered }] = await workerd.room('bulky').steer('forwards');
  assert.deepEqual({ lost, deadLettered }, { lost: 1, deadLettered: 0 });
  await client.endAsync();
});

test('Nobody ends the session of a forward, over HTTP or by a call', async () => {
  const client = await connect('plain');
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  const address = `http://127.0.0.1:${workerd.port}/rooms/plain/clients/${encodeURIComponent('$forward/all')}`;
  for (const query of ['', '?session=end']) assert.equal((await fetch(address + query, { method: 'DELETE', headers })).status, 403);
  hook.answer = () => 200;
  await client.publishAsync('tide/kept', 'kept', { qos: 1 });
  await hook.until(() => of('plain').some(({ json }) => json.messages[0].topic === 'tide/kept'));
  await client.endAsync();
});
