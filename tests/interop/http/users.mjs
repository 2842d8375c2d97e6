// Who is let in with a password.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connected } from './mqtt-client.mjs';

export function users(caller, host) {
  const put = (name, body) =>
    caller.call('PUT', `/users/${encodeURIComponent(name)}`, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const get = (name) => caller.call('GET', `/users/${encodeURIComponent(name)}`);

  test('A user is added, changed, told of without its password, and removed', async () => {
    const grants = [{ filter: 'home/%u/#', maximumQos: 1 }];
    assert.equal((await put('ann', { password: 'first-password', grants, clientIds: ['%u-*'] })).status, 204);
    assert.deepEqual((await get('ann')).json, { name: 'ann', grants, clientIds: ['%u-*'] });
    const all = (await caller.call('GET', '/users')).json.users;
    assert.deepEqual(all.find(({ name }) => name === 'ann'), { name: 'ann', grants, clientIds: ['%u-*'] });
    assert.deepEqual(all.map(({ name }) => name), all.map(({ name }) => name).sort());

    const client = await connected(host, { username: 'ann', password: 'first-password', clientId: 'ann-1' });
    const granted = await client.subscribeAsync(['home/ann/a', 'home/bob/a'], { qos: 1 }).catch(({ packet }) => packet?.granted);
    assert.deepEqual((granted ?? []).map((one) => one.qos ?? one), [1, 0x87]);
    await client.endAsync(true);
    await assert.rejects(connected(host, { username: 'ann', password: 'first-password', clientId: 'bob-1' }));
    await assert.rejects(connected(host, { username: 'ann', password: 'wrong-password', clientId: 'ann-1' }));

    assert.equal((await put('ann', {})).status, 204, 'a user keeps its password');
    assert.deepEqual((await get('ann')).json, { name: 'ann' });
    await (await connected(host, { username: 'ann', password: 'first-password', clientId: 'any' })).endAsync(true);
    assert.equal((await put('ann', { password: 'second-password' })).status, 204);
    await assert.rejects(connected(host, { username: 'ann', password: 'first-password' }));

    const last = await connected(host, { username: 'ann', password: 'second-password' });
    const [told] = await Promise.all([once(last, 'disconnect'), caller.call('DELETE', '/users/ann')]);
    assert.equal(told[0].reasonCode, 0x98);
    await assert.rejects(connected(host, { username: 'ann', password: 'second-password' }));
    assert.equal((await get('ann')).status, 404);
    assert.equal((await caller.call('DELETE', '/users/ann')).status, 404);
  });

  test('A name may have any characters', async () => {
    const name = 'Zoë/Ω 100%';
    assert.equal((await put(name, { password: 'a-password' })).status, 204);
    assert.deepEqual((await get(name)).json, { name });
    await (await connected(host, { username: name, password: 'a-password' })).endAsync(true);
    assert.equal((await caller.call('DELETE', `/users/${encodeURIComponent(name)}`)).status, 204);
  });

  test('What a user cannot be is told in a sentence, without what was sent', async () => {
    for (const body of [
      {},
      [],
      'text',
      { password: '' },
      { password: 5 },
      { password: 'secret-word', grants: {} },
      { password: 'secret-word', grants: [{}] },
      { password: 'secret-word', grants: [{ filter: 'a/#/b' }] },
      { password: 'secret-word', grants: [{ filter: 'a', maximumQos: 3 }] },
      { password: 'secret-word', grants: [{ filter: 'a', publish: 'yes' }] },
      { password: 'secret-word', grants: [{ filter: 'a', unknown: true }] },
      { password: 'secret-word', clientIds: 'a' },
      { password: 'secret-word', clientIds: [''] },
      { password: 'secret-word', verifier: 'x' },
      { password: 'secret-word'.repeat(200) },
    ]) {
      const { status, json } = await put('nobody', body);
      assert.equal(status, 400, JSON.stringify(body).slice(0, 80));
      assert.match(json.error, /^\S.*[.]$/);
      assert.doesNotMatch(json.error, /secret-word/);
    }
    for (const [type, body] of [['application/json', '{"password":'], ['text/plain', '{"password":"secret-word"}'], ['application/json', '']]) {
      const { status, json } = await caller.call('PUT', '/users/nobody', { headers: { 'Content-Type': type }, body });
      assert.equal(status, 400, type);
      assert.doesNotMatch(json.error, /secret-word/);
    }
    assert.equal((await get('nobody')).status, 404);
    const large = { headers: { 'Content-Type': 'application/json' }, body: ' '.repeat(2 << 20) };
    assert.equal((await caller.call('PUT', '/users/nobody', large)).status, 413);
  });
}
