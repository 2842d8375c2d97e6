// Tokens: as the password, in the header of the upgrade, and in its address.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { granted, upgrade, VERSIONS } from './peers.mjs';
import { es256, forged, hs256, seconds, unfit } from './signing.mjs';

const PASSWORD = 'pencil and paper';

export function bearers(peers, host) {
  for (const [version, protocolVersion] of Object.entries(VERSIONS)) {
    test(`A token lets in as the password, with any user name, MQTT ${version}`, async () => {
      for (const password of [hs256(), es256(), hs256({ room: 'default' }), hs256({ room: '*' }), es256({ room: ['kitchen', 'default'] }), hs256({ aud: ['web', 'mqtt'] }), hs256({ exp: seconds(600) + 0.1234567 })]) {
        await peers.letIn({ protocolVersion, username: 'anybody', password }, (client) => client.publishAsync('from/token', 'x', { qos: 1 }));
      }
    });
  }

  test('A token brings its own grants', async () => {
    await peers.letIn({ username: 'x', password: hs256({ grants: [{ filter: 'doors/%u/#' }] }) }, async (client) => {
      assert.deepEqual(await granted(client, 'doors/ada/#', 'doors/eve/#', 'from/#'), [2, 0x87, 0x87]);
    });
    await peers.letIn({ username: 'x', password: hs256({ grants: [] }) }, async (client) => {
      assert.deepEqual(await granted(client, 'from/#'), [0x87]);
    });
  });

  test('A token that nobody knows the signer of is refused as a wrong password is', async () => {
    for (const [what, password] of Object.entries(forged())) await peers.refused(0x86, { username: 'x', password }, what);
  });

  test('A token that is good for something else is not good here', async () => {
    for (const [what, password] of Object.entries(unfit())) await peers.refused(0x87, { username: 'x', password }, what);
  });

  test('A user name that exists does not make a token better', async () => {
    await host.addUser('ada', { password: PASSWORD });
    await peers.refused(0x86, { username: 'ada', password: forged()['another secret'] });
  });

  test('When the token expires the connection ends, with 0x87', async () => {
    await peers.letIn({ username: 'x', password: hs256({ exp: seconds(1) }) }, async (client) => {
      const closed = once(client, 'close');
      const [{ reasonCode }] = await once(client, 'disconnect');
      assert.equal(reasonCode, 0x87);
      await closed;
    });
  });

  test('A token in the header of the upgrade lets in', async () => {
    const wsOptions = { headers: { Authorization: `Bearer ${hs256({ grants: [{ filter: 'doors/%u/#' }] })}` } };
    for (const more of [{}, { username: 'eve' }, { protocolVersion: 4 }]) {
      await peers.letIn({ wsOptions, ...more }, async (client) => {
        const [door, others] = await granted(client, 'doors/ada/#', 'doors/eve/#');
        assert.deepEqual([door, others >= 0x80], [2, true]);
      });
    }
  });

  test('A token in the address of the upgrade lets in', async () => {
    await peers.letIn({ url: `${host.websocket}?access_token=${es256()}` }, (client) => client.publishAsync('of/ada/a', 'x', { qos: 1 }));
  });

  test('A password in CONNECT counts even where the upgrade brought a token', async () => {
    await host.addUser('eve', { password: PASSWORD });
    const wsOptions = { headers: { Authorization: `Bearer ${hs256()}` } };
    await peers.letIn({ wsOptions, username: 'eve', password: PASSWORD }, async (client) => {
      assert.deepEqual(await granted(client, 'of/ada/a', 'of/eve/a'), [0x87, 2]);
    });
    await peers.refused(0x86, { wsOptions, username: 'eve', password: 'wrong' });
  });

  test('The token of the upgrade holds for its time alone', async () => {
    const wsOptions = { headers: { Authorization: `Bearer ${hs256({ exp: seconds(1) })}` } };
    await peers.letIn({ wsOptions }, async (client) => {
      const [{ reasonCode }] = await once(client, 'disconnect');
      assert.equal(reasonCode, 0x87);
    });
  });

  test('An upgrade with a token that is not good is refused', async () => {
    for (const [what, token] of [...Object.entries(forged()), ...Object.entries(unfit()), ['no token', 'word']]) {
      for (const [headers, query] of [[{ Authorization: `Bearer ${token}` }, ''], [{}, `?access_token=${token}`]]) {
        const { statusCode, text } = await upgrade(host.websocket, headers, query);
        assert.equal(statusCode, 401, what);
        assert.ok(!text.includes(token), what);
      }
    }
  });

  for (const version of ['311', '5']) {
    test(`mosquitto_pub is let in with a token, -V ${version}`, async () => {
      assert.deepEqual(await peers.mosquitto(version, ['-u', 'any', '-P', es256()]), { code: 0, complaints: '' });
    });

    test(`mosquitto_pub is refused with a token that is not good, -V ${version}`, async () => {
      const { code, complaints } = await peers.mosquitto(version, ['-u', 'any', '-P', forged()['alg none']]);
      assert.notEqual(code, 0);
      assert.match(complaints, /bad user ?name or password/i);
      const expired = await peers.mosquitto(version, ['-u', 'any', '-P', unfit().expired]);
      assert.match(expired.complaints, /not authori[sz]ed/i);
    });
  }
}
