import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import { Time } from './support.mjs';

/** A test whose broker asks `authenticate`. */
function asking(name, authenticate, body) {
  test(name, async (context) => {
    const broker = await Broker.open({ authenticate });
    context.after(() => broker.close());
    await body(broker);
  });
}

asking(
  'A client is let in by what it says of itself, with the rights it is given',
  async ({ step, clientId, userName, password }) => {
    assert.equal(step, 'connect');
    const known = userName === 'ada' && new TextDecoder().decode(password) === 'secret';
    return known ? { type: 'allow', grants: [{ filter: `${clientId}/%u/#`, maximumQos: 1 }] } : { type: 'deny', reason: 0x86 };
  },
  async (broker) => {
    await assert.rejects(broker.connect({ userName: 'ada', password: 'wrong' }), { code: 'refused', reason: 0x86 });
    const ada = await broker.connect({ clientId: 'c', userName: 'ada', password: 'secret' });
    assert.equal((await ada.subscribe('c/ada/a', { qos: 2 }, () => {})).qos, 1);
    await assert.rejects(ada.subscribe('#', () => {}), { code: 'refused', reason: 0x87 });
    await assert.rejects(ada.publish('elsewhere', 'x', { qos: 1 }), { code: 'refused', reason: 0x87 });
    assert.equal((await ada.publish('c/ada/a', 'x', { qos: 1 })).reason, 0);
  },
);

asking('A client may be sent elsewhere', () => ({ type: 'redirect', server: 'other.example' }), async (broker) => {
  await assert.rejects(broker.connect(), (error) => {
    assert.equal(error.reason, 0x9c);
    assert.match(error.hint, /other\.example/);
    return true;
  });
  await assert.rejects(broker.connect({ protocolVersion: 4 }), { code: 'refused' });
});

for (const [name, authenticate] of [
  ['throws', () => { throw new Error('The database is away.'); }],
  ['rejects', () => Promise.reject(new Error('The database is away.'))],
  ['answers nothing', () => undefined],
  ['answers with nonsense', () => ({ type: 'perhaps' })],
  ['misspells its grants', () => ({ type: 'allow', grant: [{ filter: 'x' }] })],
  ['allows for a reason to deny', () => ({ type: 'allow', reason: 0x87 })],
  ['grants nothing that can be read', () => ({ type: 'allow', grants: null })],
  ['misspells what is denied', () => ({ type: 'allow', grants: [{ filter: 'a', publsh: false }] })],
  ['grants what is no filter', () => ({ type: 'allow', grants: [{ filter: 'a/#/b' }] })],
  ['denies with a success', () => ({ type: 'deny', reason: 0 })],
]) {
  asking(`A callback that ${name} keeps the client out, and the developer hears why`, authenticate, async (broker) => {
    const complaint = mock.method(console, 'error', () => {});
    await assert.rejects(broker.connect(), { code: 'refused', reason: 0x80 });
    assert.equal(complaint.mock.callCount(), 1);
    complaint.mock.restore();
  });
}

asking(
  'Enhanced authentication goes to and fro until the broker is content',
  ({ step, method, data }) => {
    assert.equal(method, 'count');
    const said = data?.[0] ?? 0;
    return said < 3 ? { type: 'continue', data: Uint8Array.of(said) } : { type: 'allow', data: Uint8Array.of(step === 'continue' ? 9 : 0) };
  },
  async (broker) => {
    const asked = [];
    const client = await broker.connect({
      authentication: {
        method: 'count',
        begin: () => Uint8Array.of(1),
        respond: async (challenge) => {
          asked.push(challenge[0]);
          return Uint8Array.of(challenge[0] + 1);
        },
      },
    });
    assert.deepEqual(asked, [1, 2]);
    assert.deepEqual(client.server.authenticationData, Uint8Array.of(9));
  },
);

test('Grants hold for everybody where nobody is asked', async (context) => {
  const broker = await Broker.open({ grants: [{ filter: 'open/#' }, { filter: 'read', publish: false }] });
  context.after(() => broker.close());
  const client = await broker.connect();
  await client.publish('open/a', 'x', { qos: 1 });
  await client.subscribe('read', () => {});
  await assert.rejects(client.publish('read', 'x', { qos: 1 }), { reason: 0x87 });
  await assert.rejects(client.subscribe('closed', () => {}), { reason: 0x87 });
});

test('Grants that would count for nothing are refused', async () => {
  for (const options of [{ grants: [{ filter: 'a/#/b' }] }, { grants: [{}] }, { grants: [], authenticate: () => ({ type: 'allow' }) }]) {
    await assert.rejects(Broker.open(options), { name: 'MqttError' });
  }
  (await Broker.open({ grants: [{ filter: '%c/%u/#' }] })).close();
});

test('A client is who the host says, until it says, by what its connection brought', async (context) => {
  const time = new Time();
  const badges = new Map();
  const broker = await Broker.open({
    ...time.options(),
    authenticate: (_, transport) => {
      const userName = badges.get(transport);
      return userName
        ? { type: 'allow', userName, grants: [{ filter: 'home/%u/#' }], expiresAt: time.now + 60_000 }
        : { type: 'deny', reason: 0x87 };
    },
  });
  context.after(() => broker.close());
  await assert.rejects(broker.connect({ userName: 'ada' }), { reason: 0x87 });
  const { port1: ours, port2: theirs } = new MessageChannel();
  badges.set(ours, 'ada');
  broker.accept(ours);
  const client = await connect(theirs, { userName: 'bob' });
  assert.equal((await client.subscribe('home/ada/#', { qos: 1 }, () => {})).qos, 1);
  await assert.rejects(client.subscribe('home/bob/#', () => {}), { reason: 0x87 });
  const ended = new Promise((resolve) => client.on('status', (status, { error }) => status === 'ended' && resolve(error)));
  time.pass(60_000);
  assert.equal((await ended).reason, 0x87);
});

asking('A client hears why it is denied', () => ({ type: 'deny', reason: 0x8a, message: 'Wait a minute.' }), async (broker) => {
  await assert.rejects(broker.connect(), (error) => {
    assert.deepEqual([error.reason, error.reasonString], [0x8a, 'Wait a minute.']);
    assert.match(error.message, /Wait a minute\./);
    return true;
  });
});

test('A session is its user’s alone, and a user has so many connections', async (context) => {
  const authenticate = ({ userName }) => ({ type: 'allow', ...(userName !== undefined && { userName }) });
  const broker = await Broker.open({ authenticate, maximumConnectionsPerUser: 1 });
  context.after(() => broker.close());
  const as = (userName, clientId) =>
    broker.connect({ userName, clientId, reconnect: false, properties: { sessionExpiryInterval: 60 } });
  const ada = await as('ada', 'phone');
  await assert.rejects(as('bob', 'phone'), { code: 'refused', reason: 0x85 });
  await assert.rejects(as('ada', 'tablet'), { code: 'refused', reason: 0x97 });
  assert.equal(ada.status, 'connected');
  assert.equal(broker.disconnect('phone', { endSession: true }), true);
  await as('bob', 'phone');
  await as('ada', 'tablet');
});
