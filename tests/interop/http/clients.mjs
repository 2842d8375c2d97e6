// Looking at clients, disconnecting and tracing them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { validate } from './caller.mjs';
import { EventStream } from './event-stream.mjs';
import { addUser, connected } from './mqtt-client.mjs';

export function clients(caller, host) {
  const list = async (query = {}) => (await caller.call('GET', '/clients', { query })).json;
  const find = async (clientId) => (await list({ limit: '1000' })).clients.find((client) => client.clientId === clientId);

  test('Clients are told with what is known of them, page by page', async () => {
    const user = await addUser(caller, 'listed');
    const options = { ...user, keepalive: 45, properties: { sessionExpiryInterval: 300 }, clean: true };
    const all = await Promise.all(['list-a', 'list-b', 'list-c'].map((clientId) => connected(host, { ...options, clientId })));
    await all[0].subscribeAsync(['x', 'y']);
    const a = await find('list-a');
    assert.deepEqual([a.userName, a.connected, a.protocolVersion, a.sessionExpiryInterval, a.subscriptions], ['listed', true, 5, 300, 2]);
    assert.ok(Math.abs(a.connectedAt - Date.now()) < 600_000);
    await all[2].endAsync(true);
    while ((await find('list-c')).connected) await new Promise((resolve) => setTimeout(resolve, 20));
    const seen = [];
    for (let after; ; ) {
      const page = await list({ limit: '1', ...(after && { after }) });
      assert.ok(page.clients.length <= 1);
      seen.push(...page.clients.map(({ clientId }) => clientId));
      after = page.next;
      if (!after) break;
    }
    assert.deepEqual(seen.filter((id) => id.startsWith('list-')), ['list-a', 'list-b', 'list-c']);
    assert.deepEqual(seen, (await list({ limit: '1000' })).clients.map(({ clientId }) => clientId));
    await Promise.all(all.map((client) => client.endAsync(true)));
  });

  test('A client is disconnected by administrative action, and its session ends if that is asked', async () => {
    const options = { ...(await addUser(caller)), clientId: 'kicked/ü', properties: { sessionExpiryInterval: 300 } };
    const path = `/clients/${encodeURIComponent('kicked/ü')}`;
    const client = await connected(host, options);
    const [told] = await Promise.all([once(client, 'disconnect'), caller.call('DELETE', path)]);
    assert.equal(told[0].reasonCode, 0x98);
    while ((await find('kicked/ü')).connected) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await caller.call('DELETE', path, { query: { session: 'end' } })).status, 204);
    assert.equal(await find('kicked/ü'), undefined);
    assert.equal((await caller.call('DELETE', path)).status, 404);
  });

  test('A trace tells the packets of one client, without what is in them', async () => {
    const user = await addUser(caller);
    const answer = await caller.call('GET', '/clients/traced/trace', { query: { seconds: '600' } });
    assert.equal(answer.status, 200);
    const trace = new EventStream(answer.body);
    const [traced, other] = await Promise.all(['traced', 'untraced'].map((clientId) => connected(host, { ...user, clientId })));
    await other.publishAsync('of/other', 'x');
    await traced.publishAsync('of/traced', 'the-payload', { qos: 1 });
    const packets = [];
    while (!packets.some(({ packet }) => packet === 'PUBACK')) {
      const [{ event, data }] = await trace.take(1);
      assert.equal(event, 'packet');
      assert.doesNotMatch(data, /the-payload/);
      assert.ok(!data.includes(user.password));
      assert.deepEqual(validate('TracedPacket', JSON.parse(data)), []);
      packets.push(JSON.parse(data));
    }
    const publish = packets.find(({ packet }) => packet === 'PUBLISH');
    assert.deepEqual([publish.direction, publish.topic, publish.qos], ['received', 'of/traced', 1]);
    assert.ok(publish.bytes > 'the-payload'.length);
    assert.ok(!packets.some(({ topic }) => topic === 'of/other'));
    const puback = packets.find(({ packet }) => packet === 'PUBACK');
    assert.deepEqual([puback.direction, puback.packetId], ['sent', publish.packetId]);
    await trace.close();
    await Promise.all([traced, other].map((client) => client.endAsync(true)));
  });

  test('A trace ends when its time is over', async () => {
    const answer = await caller.call('GET', '/clients/nobody/trace', { query: { seconds: '1' } });
    const trace = new EventStream(answer.body);
    assert.equal((await trace.next()).event, 'end');
    assert.equal(await trace.next(), undefined);
  });
}
