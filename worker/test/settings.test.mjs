// What is wrong with the settings is told to the operator, each by its key, and the room does not open.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';
import { upgrade } from './upgrade.mjs';

const ADMIN_TOKEN = 'the-token-of-the-administrator-of-all-rooms';

const GRANTS = 'must be a list of objects with filter and, if need be, publish, subscribe, maximumQos and retain.';
const ORIGINS = 'must be a list of origins such as "https://app.example", or "*".';
const authentication = (settings) => ({ authentication: settings });
const jwt = (settings) => authentication({ jwt: settings });
const review = (settings) => ({ review: { filter: 'orders/#', ...settings } });

/** The settings of a room, and what the log says; `@` stands for where they are. */
const WRONG = [
  [{ authentification: {} }, /^There is no setting "@authentification": there are limits, authentication, .*\.$/],
  [7, '@ must be an object, with limits, authentication, origins, connectionRate, rules, review, cors, forward, log, closed, moved.'],
  [{ limits: [] }, '@limits must be an object of limits.'],
  [{ limits: { maximumConections: 5 } }, 'There is no option "maximumConections".'],
  [authentication(null), /^@authentication must be an object, with anonymous, /],
  [authentication({ anonymous: true, anonymousGrant: [] }), /^There is no setting "@authentication\.anonymousGrant": there are anonymous, /],
  [authentication({ anonymous: 'false' }), '@authentication.anonymous must be true or false.'],
  [authentication({ anonymousGrants: [{ filter: 'a', publsh: true }] }), `@authentication.anonymousGrants ${GRANTS}`],
  [authentication({ grants: [{ filter: 'a/#/b' }] }), `@authentication.grants ${GRANTS}`],
  [authentication({ grants: null }), `@authentication.grants ${GRANTS}`],
  [authentication({ passwordIterations: 200_000 }), '@authentication.passwordIterations must be a whole number from 1000 to 100000.'],
  [authentication({ failuresPerMinute: '10' }), '@authentication.failuresPerMinute must be a whole number from 1 to 1000000.'],
  [{ connectionRate: { perSecond: 0 } }, '@connectionRate.perSecond must be a number above 0 and up to 1,000,000.'],
  [{ connectionRate: { burst: 0.5 } }, '@connectionRate.burst must be a whole number from 1 to 1000000.'],
  [jwt(true), '@authentication.jwt must be an object, with algorithms, jwksUrl, issuer, audience, leewaySeconds.'],
  [jwt({ audiance: 'mqtt' }), /^There is no setting "@authentication\.jwt\.audiance": there are algorithms, /],
  [jwt({ algorithms: ['none'] }), '@authentication.jwt.algorithms must be a list of HS256, RS256, ES256 and EdDSA, of one at least.'],
  [jwt({ algorithms: [] }), '@authentication.jwt.algorithms must be a list of HS256, RS256, ES256 and EdDSA, of one at least.'],
  [jwt({ jwksUrl: 'http://keys.example/' }), '@authentication.jwt.jwksUrl must be an address that begins with https://.'],
  [jwt({ issuer: '' }), '@authentication.jwt.issuer must be a text that is not empty.'],
  [jwt({ audience: ['mqtt'] }), '@authentication.jwt.audience must be a text that is not empty.'],
  [jwt({ leewaySeconds: -1 }), '@authentication.jwt.leewaySeconds must be a whole number from 0 to 3600.'],
  [{ origins: 'https://app.example' }, `@origins ${ORIGINS}`],
  [{ origins: ['app.example'] }, `@origins ${ORIGINS}`],
  [{ cors: 'https://app.example' }, `@cors ${ORIGINS}`],
  [{ cors: ['https://app.example/path'] }, `@cors ${ORIGINS}`],
  [{ rules: {} }, '@rules must be a list of rules, each an object.'],
  [{ rules: [{ filter: 'a', action: 'burn' }] }, /rule/],
  [{ review: 'REVIEWER' }, '@review must be an object, with filter, service, timeoutMillis, fallback.'],
  [{ review: {} }, '@review.filter is missing.'],
  [review({ filter: 'a/#/b' }), '@review.filter must be a Topic Filter.'],
  [review({ servise: 'REVIEWER' }), /^There is no setting "@review\.servise": there are filter, /],
  [review({ service: 7 }), '@review.service must be a text that is not empty.'],
  [review({ timeoutMillis: 0.5 }), '@review.timeoutMillis must be a whole number from 1 to 600000.'],
  [review({ fallback: 'allow' }), '@review.fallback must be one of accept, drop, refuse.'],
  [{ forward: { name: 'a' } }, '@forward must be a list of forwards, each an object.'],
  [{ forward: ['a'] }, '@forward must be a list of forwards, each an object.'],
  [{ log: 'debug' }, '@log must be an object, with level.'],
  [{ log: { level: 'warning' } }, '@log.level must be one of off, error, warn, info, debug.'],
  [{ log: { levels: 'warn' } }, 'There is no setting "@log.levels": there are level.'],
  [{ closed: 0 }, '@closed must be true or false.'],
  [{ moved: 'wss://example.org/mqtt' }, '@moved must be an object, with room, permanent.'],
  [{ moved: { permanent: true } }, '@moved.room is missing.'],
  [{ moved: { room: 'wss://example.org/mqtt', permanent: 1 } }, '@moved.permanent must be true or false.'],
];

const told = [];
let workerd;
before(async () => {
  const rooms = Object.fromEntries(WRONG.map(([settings], index) => [`wrong-${index}`, settings]));
  workerd = await start({ variables: { ADMIN_TOKEN }, settings: { rooms }, log: (line) => told.push(line) });
});
after(() => workerd.stop());

/** What the log of a room says that is asked for something over HTTP. */
async function refused({ port }, room, lines) {
  const asked = await fetch(`http://127.0.0.1:${port}/rooms/${room}/metrics`, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
  // What is wrong is the operator's business alone.
  assert.deepEqual([asked.status, await asked.json()], [503, { error: 'The broker of this room is not there just now: try again.' }]);
  assert.equal((await upgrade({ port }, `/mqtt/${room}`)).status, 503);
  // Besides, the runtime tells in lines of its own that the object threw.
  const line = () => lines.find((line) => line.includes('settingsRefused') && line.includes(`"${room}"`));
  while (!line()) await new Promise((resolve) => setTimeout(resolve, 5));
  const { message, ...rest } = JSON.parse(line());
  assert.deepEqual(rest, { level: 'error', event: 'settingsRefused', room });
  return message;
}

for (const [index, [settings, sentence]] of WRONG.entries()) {
  test(`A room does not open with ${JSON.stringify(settings)}`, async () => {
    const said = await refused(workerd, `wrong-${index}`, told);
    const path = `rooms.wrong-${index}`;
    if (typeof sentence === 'string') assert.equal(said, sentence.replace(/^@(?= )/, path).replace('@', `${path}.`));
    else assert.match(said, new RegExp(sentence.source.replace('@', `${path}\\.`)));
  });
}

for (const [settings, sentence] of [
  [{ settings: { cors: 7 } }, `cors ${ORIGINS}`],
  [{ settings: { rooms: ['harbour'] } }, 'rooms must be an object with the settings of each room by its name.'],
  [{ variables: { SETTINGS: '{ "authentication": { "anonymous": true } }' } }, 'SETTINGS must be an object of JSON, such as { "authentication": {} }.'],
]) {
  test(`No room opens with ${JSON.stringify(settings)}`, async () => {
    const lines = [];
    const other = await start({ settings: settings.settings, variables: { ADMIN_TOKEN, ...settings.variables }, log: (line) => lines.push(line) });
    try {
      assert.equal(await refused(other, 'harbour', lines), sentence);
    } finally {
      await other.stop();
    }
  });
}
