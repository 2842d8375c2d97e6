// Who tries passwords, and what is left of that in logs. Each has a host of its own: failures are counted by address too.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Peers } from './peers.mjs';
import { SETTINGS } from './settings.mjs';
import { forged, hs256, JWT_SECRET, unfit } from './signing.mjs';

const PASSWORD = 'pencil and paper';

export function attempts(name, start) {
  describe(`Who tries passwords at ${name}`, () => {
    const host = {};
    const peers = new Peers(host);
    before(async () => Object.assign(host, await start({ ...SETTINGS, authentication: { ...SETTINGS.authentication, failuresPerMinute: 3 } })));
    after(() => host.stop?.());

    test('is refused after a few, also with the right one, and hears it', async () => {
      await host.addUser('ada', { password: PASSWORD });
      for (const password of ['one', 'two', 'three']) {
        await assert.rejects(peers.letIn({ username: 'ada', password }), { code: 0x86 });
      }
      for (const password of ['four', PASSWORD, 'five']) await peers.refused(0x9f, { username: 'ada', password });
    });
  });

  describe(`What ${name} says of those who try to get in`, () => {
    const host = {};
    const peers = new Peers(host);
    before(async () => Object.assign(host, await start(SETTINGS)));
    after(() => host.stop?.());

    test('has no password and no token in it', async () => {
      const secrets = [PASSWORD, 'a-wrong-password', JWT_SECRET, hs256(), ...Object.values(forged()), ...Object.values(unfit())];
      await host.addUser('ada', { password: PASSWORD });
      for (const password of secrets) {
        await peers.letIn({ username: 'ada', password }).catch(() => {});
        await peers.letIn({ wsOptions: { headers: { Authorization: `Bearer ${password}` } } }).catch(() => {});
        await peers.letIn({ url: `${host.websocket}?access_token=${encodeURIComponent(password)}` }).catch(() => {});
      }
      await host.stop();
      const log = host.log.join('\n');
      for (const secret of secrets) {
        assert.ok(!log.includes(secret), secret);
        assert.ok(!log.includes(encodeURIComponent(secret)), secret);
        // Nor a part of a token by which somebody could do something.
        if (secret.includes('.')) assert.ok(!log.includes(secret.split('.')[1]), secret);
      }
    });
  });
}
