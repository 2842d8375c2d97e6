// Users and their passwords.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSIONS } from './peers.mjs';

const PASSWORD = 'pencil and paper';

export function users(peers, host) {
  for (const [version, protocolVersion] of Object.entries(VERSIONS)) {
    test(`A user is let in with the password, MQTT ${version}`, async () => {
      await host.addUser('ada', { password: PASSWORD });
      await peers.letIn({ protocolVersion, username: 'ada', password: PASSWORD }, (client) => client.publishAsync('from/ada', 'x', { qos: 1 }));
      await peers.letIn({ protocolVersion, username: 'ada', password: PASSWORD }, (client) => client.publishAsync('from/ada', 'again', { qos: 1 }));
    });
  }

  test('A password may have any letters, in any of their normal forms', async () => {
    await host.addUser('émile', { password: 'caf\u00e9 für 東京 🔑' });
    await peers.letIn({ username: 'émile', password: 'caf\u00e9 für 東京 🔑' });
    await peers.letIn({ username: 'émile', password: 'cafe\u0301 fu\u0308r 東京 🔑' });
  });

  test('A wrong password is refused, and a user who does not exist in the same words', async () => {
    await host.addUser('ada', { password: PASSWORD });
    for (const [username, password] of [
      ['ada', 'pencil and pape'],
      ['ada', 'pencil and paper!'],
      ['ada', 'Pencil and paper'],
      ['ada', ''],
      ['ada', Buffer.from([0xff, 0xfe])],
      ['ada', 'p'.repeat(60_000)],
      ['eve', PASSWORD],
      ['Ada', PASSWORD],
      ['ada ', PASSWORD],
      ['', PASSWORD],
      ['__proto__', PASSWORD],
      ['user/ada', PASSWORD],
      ['../ada', PASSWORD],
    ]) {
      await peers.refused(0x86, { username, password }, `${username}: ${String(password).slice(0, 40)}`);
    }
    const [ada, eve] = await Promise.all(['ada', 'eve'].map((username) => peers.connack({ username, password: 'wrong' })));
    assert.deepEqual(ada, eve);
    assert.match(ada.properties.reasonString, /password/);
  });

  test('Whoever brings nothing is refused, and so is a name alone', async () => {
    await host.addUser('ada', { password: PASSWORD });
    await peers.refused(0x87, {});
    await peers.refused(0x86, { username: 'ada' });
    await peers.refused(0x86, { username: 'nobody' });
  });

  test('Of two passwords the last one counts', async () => {
    await host.addUser('changing', { password: 'the first one' });
    await peers.letIn({ username: 'changing', password: 'the first one' });
    await host.addUser('changing', { password: 'the second one' });
    await peers.refused(0x86, { username: 'changing', password: 'the first one' });
    await peers.letIn({ username: 'changing', password: 'the second one' });
  });

  for (const version of ['311', '5']) {
    test(`mosquitto_pub is let in with a password, -V ${version}`, async () => {
      await host.addUser('ada', { password: PASSWORD });
      assert.deepEqual(await peers.mosquitto(version, ['-u', 'ada', '-P', PASSWORD]), { code: 0, complaints: '' });
    });

    test(`mosquitto_pub is refused with a wrong one, and without, -V ${version}`, async () => {
      await host.addUser('ada', { password: PASSWORD });
      const wrong = await peers.mosquitto(version, ['-u', 'ada', '-P', 'wrong']);
      assert.notEqual(wrong.code, 0);
      assert.match(wrong.complaints, /bad user ?name or password/i);
      const none = await peers.mosquitto(version, []);
      assert.notEqual(none.code, 0);
      assert.match(none.complaints, /not authori[sz]ed/i);
    });
  }
}
