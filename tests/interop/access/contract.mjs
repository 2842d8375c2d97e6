// Who is let in on every host, and what they may do there.
//
// A host is started with SETTINGS and the keys JWT_SECRET and JWT_PUBLIC_KEY: `start(settings)` resolves with the addresses of its
// WebSocket (`websocket`) and of where mosquitto's clients find it (`tcp`, a URL), `addUser(name, { password, grants, clientIds })`,
// the lines of its `log`, and `stop()`.

import { after, before, describe } from 'node:test';
import { attempts } from './attempts.mjs';
import { bearers } from './bearers.mjs';
import { Peers } from './peers.mjs';
import { rights } from './rights.mjs';
import { scram } from './scram.mjs';
import { SETTINGS } from './settings.mjs';
import { users } from './users.mjs';

export { JWT_PUBLIC_KEY, JWT_SECRET } from './signing.mjs';

/** Defines the tests, for the host that `start` starts. */
export function contract(name, start) {
  describe(`Who is let in by ${name}`, () => {
    const host = {};
    const peers = new Peers(host);
    before(async () => Object.assign(host, await start(SETTINGS)));
    after(() => host.stop?.());

    users(peers, host);
    rights(peers, host);
    bearers(peers, host);
    scram(peers, host);
  });
  attempts(name, start);
}
