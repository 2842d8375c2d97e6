// tests/vectors/access.json, judged in workerd.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { hs256, JWT_SECRET } from '../../tests/interop/access/signing.mjs';
import { start } from '../local.mjs';

const vectors = JSON.parse(await readFile(new URL('../../tests/vectors/access.json', import.meta.url), 'utf8'));

const keys = createServer((_, response) => response.end(JSON.stringify(vectors.jwks)));
let folder, workerd;
before(async () => {
  await once(keys.listen(0, '127.0.0.1'), 'listening');
  folder = await mkdtemp(join(tmpdir(), 'mqlite-judge-'));
  const entry = join(folder, 'judge.js');
  await build({
    entryPoints: [fileURLToPath(new URL('access-judge.ts', import.meta.url))],
    outfile: entry,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    external: ['./index.js'],
    logLevel: 'error',
  });
  workerd = await start({ entry });
});
after(async () => {
  await workerd.stop();
  keys.close();
  await rm(folder, { recursive: true });
});

async function judge(what, vector) {
  const response = await fetch(`http://127.0.0.1:${workerd.port}/${what}`, { method: 'POST', body: JSON.stringify(vector) });
  return response.json();
}

for (const { name, outcome, jwks, jwt = {}, ...token } of vectors.tokens) {
  test(`Token: ${name}`, async () => {
    const settings = { ...jwt, ...(jwks && { jwksUrl: `http://127.0.0.1:${keys.address().port}/keys` }) };
    const found = await judge('token', { now: vectors.now, jwt: settings, ...token });
    if (outcome.reason === '0x86') assert.equal(found, 'forged');
    else if (outcome.reason) assert.match(found, /^(unfit|elsewhere)$/);
    else assert.deepEqual(found, { ...outcome, expiresAt: outcome.expiresAt * 1000 });
  });
}

test('Without the setting jwt no token is good, whatever is bound', async () => {
  const [{ secret, token }] = vectors.tokens;
  assert.equal(await judge('token', { now: vectors.now, room: 'default', secret, token }), 'forged');
});

test('A secret of less than 32 bytes is none', async () => {
  for (const [length, isGood] of [[31, false], [32, true]]) {
    const secret = 's'.repeat(length);
    const input = [{ alg: 'HS256' }, { sub: 'ada', exp: vectors.now + 60 }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    const found = await judge('token', { now: vectors.now, room: 'default', jwt: {}, secret, token });
    assert.equal(found !== 'forged', isGood);
  }
});

for (const { name, matches, ...verifier } of vectors.verifiers) {
  test(`Password: ${name}`, async () => assert.equal(await judge('verifier', verifier), matches));
}

test('What is made of a password matches it, and nothing else, and says nothing of it', async () => {
  const verifier = await judge('create', { password: 'correct horse', iterations: 1000 });
  assert.match(verifier, /^SCRAM-SHA-256\$1000:[\w+/]{22}==\$[\w+/]{43}=:[\w+/]{43}=$/);
  assert.equal(await judge('verifier', { password: 'correct horse', verifier }), true);
  assert.equal(await judge('verifier', { password: 'correct horses', verifier }), false);
  assert.notEqual(await judge('create', { password: 'correct horse', iterations: 1000 }), verifier);
});

test('Nobody may have a password without characters, or with control characters', async () => {
  for (const password of ['', '\u00ad', 'a\nb', 'a\u0000b', '\ud800']) assert.equal(await judge('create', { password, iterations: 1 }), null);
});

for (const { name, verifier, serverNonce, clientFirst, clientFinal = '', ...outcome } of vectors.scram) {
  test(`SCRAM: ${name}`, async () => {
    const { userName, ...found } = await judge('scram', { verifier, serverNonce, clientFirst, clientFinal });
    if (outcome.refused) assert.equal(found.refused, outcome.refused);
    else assert.deepEqual({ userName, ...found }, { userName: 'user', ...outcome });
  });
}

for (const { name, allowed, ...names } of vectors.clientIds) {
  test(`Client Identifier: ${name}`, async () => assert.equal(await judge('clientId', names), allowed));
}

test('A key set that cannot be had is not the token\'s fault, and is left alone for a while', async () => {
  let asked = 0;
  const broken = createServer((_, response) => response.writeHead((asked += 1) && 503).end());
  await once(broken.listen(0, '127.0.0.1'), 'listening');
  const { token } = vectors.tokens.find(({ name }) => name === 'RS256 by the JWKS');
  const vector = { now: vectors.now, room: 'default', jwt: { jwksUrl: `http://127.0.0.1:${broken.address().port}/` }, token };
  for (let round = 0; round < 3; round += 1) assert.equal(await judge('token', vector), 'unavailable');
  assert.equal(asked, 1);
  broken.close();
});

test('A key set is asked for once, and not again for each name that it does not have', async () => {
  let asked = 0;
  const counting = createServer((_, response) => response.end((asked += 1) && JSON.stringify(vectors.jwks)));
  await once(counting.listen(0, '127.0.0.1'), 'listening');
  const jwt = { jwksUrl: `http://127.0.0.1:${counting.address().port}/` };
  for (const wanted of ['RS256 by the JWKS', 'ES256 by the JWKS', 'a name that the JWKS does not have', 'EdDSA by the JWKS', 'a name that the JWKS does not have']) {
    const { token } = vectors.tokens.find(({ name }) => name === wanted);
    await judge('token', { now: vectors.now, room: 'default', jwt, token });
  }
  assert.equal(asked, 1);
  counting.close();
});

test('A key set is had over TLS alone, but from this machine', async () => {
  const { token } = vectors.tokens.find(({ name }) => name === 'RS256 by the JWKS');
  for (const jwksUrl of ['http://keys.example/', 'ftp://127.0.0.1/', 'keys']) {
    assert.equal(await judge('token', { now: vectors.now, room: 'default', jwt: { jwksUrl }, token }), 'forged', jwksUrl);
  }
});

const ADMIN_TOKEN = 'an-admin-token-of-32-characters!';
const EVERY_SCOPE = ['publish', 'subscribe', 'retained', 'clients', 'users', 'metrics', 'backup', 'trace'];

/** Who it is that brings `token` over HTTP. */
const bear = (token, { path = '/publish', headers = { Authorization: `Bearer ${token}` }, environment = { ADMIN_TOKEN, JWT_SECRET }, jwt = {}, room = 'default', options } = {}) =>
  judge('bearer', { path, headers, environment, settings: { authentication: { jwt } }, room, options });

test('The bearer of ADMIN_TOKEN may do all, in every room', async () => {
  for (const room of ['default', 'kitchen']) {
    assert.deepEqual(await bear(ADMIN_TOKEN, { room }), { name: 'admin', isOperator: true, scopes: EVERY_SCOPE });
  }
});

test('Nobody else is, not even where there is no ADMIN_TOKEN or a short one', async () => {
  for (const token of [`${ADMIN_TOKEN}!`, ADMIN_TOKEN.slice(0, -1), ADMIN_TOKEN.toUpperCase(), 'undefined', 'null']) {
    assert.equal((await bear(token, { environment: { ADMIN_TOKEN } })).status, 401, token);
    assert.equal((await bear(token, { environment: {} })).status, 401, token);
  }
  assert.equal((await bear('a-short-token-of-31-characters!', { environment: { ADMIN_TOKEN: 'a-short-token-of-31-characters!' } })).status, 401);
  for (const headers of [{}, { Authorization: '' }, { Authorization: 'Bearer' }, { Authorization: `Basic ${ADMIN_TOKEN}` }, { Authorization: ADMIN_TOKEN }]) {
    assert.equal((await bear('', { headers })).status, 401, JSON.stringify(headers));
  }
});

test('A JWT has the scopes that it names, and its grants', async () => {
  const grants = [{ filter: 'doors/%u/#' }];
  const { expiresAt, ...caller } = await bear(hs256({ scope: 'publish root retained', grants }));
  assert.deepEqual(caller, { name: 'ada', isOperator: false, scopes: ['publish', 'retained'], grants });
  assert.ok(expiresAt > Date.now());
  assert.deepEqual((await bear(hs256({ scope: 'admin' }))).scopes, EVERY_SCOPE);
  for (const scope of [undefined, '', 'Admin', 'admin,users', 'adminusers']) assert.deepEqual((await bear(hs256({ scope }))).scopes, [], scope);
});

test('A JWT that is not good over MQTT is not over HTTP', async () => {
  const wrong = [hs256({ exp: 1 }), hs256({ room: 'kitchen' }), hs256({}, { secret: 'x'.repeat(40) }), hs256({ scope: ['admin'] })];
  for (const token of wrong) assert.equal((await bear(token)).status, 401);
  assert.equal((await bear(hs256(), { jwt: { audience: 'web' } })).status, 401);
});

test('A token counts in the address only where that is asked for', async () => {
  const path = `/subscribe?filter=a&access_token=${ADMIN_TOKEN}`;
  assert.equal((await bear('', { path, headers: {} })).status, 401);
  assert.equal((await bear('', { path, headers: {}, options: { query: true } })).name, 'admin');
});

test('An address from which too many tokens were forged is refused, also with the right one', async () => {
  const from = (token, address) => bear(token, { headers: { Authorization: `Bearer ${token}`, 'CF-Connecting-IP': address } });
  for (let round = 0; round < 10; round += 1) assert.equal((await from(`guess-${round}`, '192.0.2.77')).status, 401);
  assert.equal((await from(ADMIN_TOKEN, '192.0.2.77')).status, 429);
  assert.equal((await from(ADMIN_TOKEN, '192.0.2.78')).name, 'admin');
});

test('Grants with a filter that is none are not understood, and so the token is not good', async () => {
  const { secret } = vectors.tokens[0];
  for (const [filter, isGood] of [['a/+/%u/#', true], ['#', true], ['+', true], ['$share/g/a', true], ['a/#/b', false], ['a#', false], ['+a', false], ['a/b+', false], ['a\u0000', false]]) {
    const token = hs256({ exp: vectors.now + 60, grants: [{ filter }] }, { secret });
    const found = await judge('token', { now: vectors.now, room: 'default', jwt: {}, secret, token });
    assert.equal(found !== 'unfit', isGood, filter);
  }
});
