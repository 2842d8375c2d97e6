// What who was let in may do: grants, Client Identifiers, and the sessions of others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { granted, published, VERSIONS } from './peers.mjs';
import { hs256 } from './signing.mjs';

const PASSWORD = 'pencil and paper';

/** Names that would change a filter, were they filled in. */
const NAMES = ['+', '#', 'a/b', '+/+', '$SYS', '$share', '/', 'x/#', '%u', '%c'];

export function rights(peers, host) {
  test('Who brings no grants has those of the settings', async () => {
    await host.addUser('ada', { password: PASSWORD });
    await peers.letIn({ username: 'ada', password: PASSWORD, clientId: 'pump' }, async (client) => {
      assert.deepEqual(await granted(client, 'from/#', 'of/ada/a', 'at/pump/#', 'news/a'), [2, 2, 2, 1]);
      assert.deepEqual(await granted(client, '#', 'of/#', 'of/+/a', 'of/eve/a', 'at/valve/a', '$SYS/#', '+/ada/#', '$share/g/of/eve/a'), Array(8).fill(0x87));
      assert.deepEqual([await published(client, 'of/ada/a'), await published(client, 'of/eve/a'), await published(client, 'news/a')], [0, 0x87, 0x87]);
    });
  });

  test('A user has the grants that were given to the user, and no others', async () => {
    await host.addUser('gate', { password: PASSWORD, grants: [{ filter: 'gates/%u/+', maximumQos: 1, retain: false }, { filter: 'signs/#', publish: false }] });
    await peers.letIn({ username: 'gate', password: PASSWORD }, async (client) => {
      assert.deepEqual(await granted(client, 'gates/gate/a', 'signs/#', 'from/#', 'gates/#'), [1, 2, 0x87, 0x87]);
      assert.equal(await published(client, 'gates/gate/a'), 0);
      assert.equal(await published(client, 'gates/gate/a', { qos: 2 }), 0x87);
      assert.equal(await published(client, 'gates/gate/a', { retain: true }), 0x87);
      assert.equal(await published(client, 'gates/gate/a/b'), 0x87);
      assert.equal(await published(client, 'signs/a'), 0x87);
    });
    await host.addUser('nothing', { password: PASSWORD, grants: [] });
    await peers.letIn({ username: 'nothing', password: PASSWORD }, async (client) => {
      assert.deepEqual(await granted(client, 'from/#', '#'), [0x87, 0x87]);
      assert.equal(await published(client, 'from/a'), 0x87);
    });
  });

  test('What is refused of QoS 0 reaches nobody', async () => {
    await host.addUser('ada', { password: PASSWORD });
    await host.addUser('eve', { password: PASSWORD });
    await peers.letIn({ username: 'ada', password: PASSWORD }, async (ada) => {
      const heard = [];
      ada.on('message', (topic) => heard.push(topic));
      await granted(ada, 'of/ada/#', 'from/#');
      const all = new Promise((resolve) => ada.on('message', (topic) => topic === 'from/eve' && resolve()));
      await peers.letIn({ username: 'eve', password: PASSWORD }, async (eve) => {
        await eve.publishAsync('of/ada/a', 'x', { qos: 0 });
        await eve.publishAsync('from/eve', 'x', { qos: 1 });
      });
      await all;
      assert.deepEqual(heard, ['from/eve']);
    });
  });

  test('No Client Identifier widens a grant', async () => {
    await host.addUser('ada', { password: PASSWORD });
    for (const clientId of NAMES.filter((name) => !name.startsWith('$'))) {
      await peers.letIn({ username: 'ada', password: PASSWORD, clientId }, async (client) => {
        const found = await granted(client, 'at/#', 'at/+/a', 'at/pump/a', 'at/a/b/c', `at/${clientId}/#`.replaceAll('#/', ''), '$SYS/#');
        assert.deepEqual(found, Array(6).fill(0x87), clientId);
        assert.equal(await published(client, 'at/pump/a'), 0x87, clientId);
        assert.equal(await published(client, 'at/a/b/c'), 0x87, clientId);
      });
    }
  });

  test("Client Identifiers that begin with $ are for the host's own clients", async () => {
    await host.addUser('ada', { password: PASSWORD });
    for (const clientId of ['$', '$SYS', '$room', '$sse/', '$forward/all']) {
      await peers.refused(0x85, { username: 'ada', password: PASSWORD, clientId }, clientId);
      await peers.refused(0x85, { password: hs256({ sub: 'ada' }), username: 'x', clientId }, clientId);
    }
  });

  test('No user name widens a grant', async () => {
    for (const name of NAMES) {
      await peers.letIn({ username: 'x', password: hs256({ sub: name }) }, async (client) => {
        assert.deepEqual(await granted(client, 'of/#', 'of/+/a', 'of/ada/a', 'of/a/b/c', '$SYS/#'), Array(5).fill(0x87), name);
        assert.equal(await published(client, 'of/ada/a'), 0x87, name);
      });
    }
  });

  test('A client is who it was let in as, whatever name it says', async () => {
    await peers.letIn({ username: 'eve', password: hs256({ sub: 'ada' }) }, async (client) => {
      assert.deepEqual(await granted(client, 'of/ada/a', 'of/eve/a'), [2, 0x87]);
    });
  });

  test('A user has the Client Identifiers that were given to the user alone', async () => {
    await host.addUser('bound', { password: PASSWORD, clientIds: ['%u', '%u-*', 'pump'] });
    for (const clientId of ['bound', 'bound-', 'bound-1', 'pump']) await peers.letIn({ username: 'bound', password: PASSWORD, clientId });
    for (const clientId of ['ada', 'bound1', 'Bound', 'pump1', '%u', '*']) {
      await peers.refused(0x85, { username: 'bound', password: PASSWORD, clientId }, clientId);
    }
    await peers.letIn({ password: hs256({ clientIds: ['%u-*'] }), username: 'x', clientId: 'ada-1' });
    await peers.refused(0x85, { password: hs256({ clientIds: ['%u-*'] }), username: 'x', clientId: 'eve-1' });
  });

  for (const [version, protocolVersion] of Object.entries(VERSIONS)) {
    test(`Nobody has the session of somebody else, MQTT ${version}`, async () => {
      await host.addUser('ada', { password: PASSWORD });
      await host.addUser('eve', { password: PASSWORD });
      const session = { clientId: `session-${protocolVersion}`, clean: false, properties: { sessionExpiryInterval: 300 } };
      await peers.letIn({ ...session, protocolVersion, username: 'ada', password: PASSWORD }, (client) => granted(client, 'of/ada/a'));
      await peers.refused(0x85, { ...session, username: 'eve', password: PASSWORD });
      await peers.refused(0x85, { ...session, clean: true, username: 'eve', password: PASSWORD });
      const { sessionPresent } = await peers.connack({ ...session, protocolVersion, username: 'ada', password: PASSWORD });
      assert.equal(sessionPresent, true);
    });
  }
}
