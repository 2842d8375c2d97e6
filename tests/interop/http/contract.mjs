// What the HTTP API does on every host, by its OpenAPI document: worker/src/http/openapi.json.
//
// A host is started with SETTINGS, ADMIN_TOKEN and JWT_SECRET: `start()` resolves with its `origin`, the address of its WebSocket
// (`websocket`), `crash()`, which ends it with SIGKILL and starts it again at the same address with what it had stored, and `stop()`.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Caller, document, operations, tokenOf, validate } from './caller.mjs';
import { clients } from './clients.mjs';
import { messages } from './messages.mjs';
import { operation } from './operation.mjs';
import { streams } from './streams.mjs';
import { users } from './users.mjs';

export { ADMIN_TOKEN, JWT_SECRET } from './caller.mjs';

/** What a page may be at that uses the API. */
const PAGE = 'https://app.example';

/** The settings of a host, in the words that both have. */
export const SETTINGS = {
  // What is refused here is refused on purpose, and often.
  authentication: { anonymous: false, failuresPerMinute: 1_000, jwt: { algorithms: ['HS256'] } },
  cors: [PAGE],
};

/** Defines the tests, for the host that `start` starts. */
export function contract(name, start) {
  describe(`HTTP of ${name}`, () => {
    const host = { origin: undefined, websocket: undefined };
    const caller = new Caller(host);
    before(async () => Object.assign(host, await start()));
    after(() => host.stop?.());

    requests(caller);
    messages(caller, host);
    streams(caller, host);
    clients(caller, host);
    users(caller, host);
    operation(caller, host);
    test('Every operation of the document has answered as it says', () => {
      assert.deepEqual([...Caller.called].sort(), operations.map(({ operation }) => operation.operationId).sort());
    });
  });
}

/** What holds for every path. */
function requests(caller) {
  test('The document is served as it is, and is one of OpenAPI', async () => {
    const { json } = await caller.call('GET', '/openapi.json', { token: null });
    assert.deepEqual(json, document);
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors));
  });

  test('Everything but its health and its document wants a token, of any room', async () => {
    assert.deepEqual((await caller.call('GET', '/health', { token: null })).json, { status: 'ok' });
    const tokens = [
      null,
      'wrong',
      tokenOf({ scope: 'admin' }, 'another-secret-of-the-contract-0123456789'),
      tokenOf({ scope: 'admin', exp: Math.floor(Date.now() / 1000) - 60 }),
      tokenOf({ scope: 'admin', room: ['elsewhere'] }),
    ];
    for (const { method, path } of secured()) {
      for (const token of tokens) {
        const { status, headers, json } = await caller.call(method, filled(path), { token });
        assert.equal(status, 401, `${method} ${path}`);
        assert.match(headers.get('WWW-Authenticate'), /^Bearer/);
        assert.doesNotMatch(json.error, /wrong/);
      }
    }
  });

  test('A token does what its scopes say, and nothing else', async () => {
    for (const { method, path, operation } of secured()) {
      const [scope] = operation.security[0].bearer;
      const others = SCOPES.filter((other) => other !== scope).join(' ');
      for (const claims of [{}, { scope: others }]) {
        const { status, json } = await caller.call(method, filled(path), { token: tokenOf(claims) });
        assert.equal(status, 403, `${method} ${path}`);
        assert.match(json.error, new RegExp(`"${scope}"`));
      }
    }
    for (const scope of ['metrics', 'publish metrics', 'admin']) {
      assert.equal((await caller.call('GET', '/metrics', { token: tokenOf({ scope }) })).status, 200);
    }
  });

  test('The name of the room may stand before the path', async () => {
    const query = { topic: 'room/named', retain: 'true' };
    assert.equal((await caller.call('POST', '/rooms/default/publish', { query, body: 'x' })).status, 200);
    const { json } = await caller.call('GET', '/retained', { query: { filter: 'room/named' } });
    assert.equal(json.messages.length, 1);
  });

  test('A path that is none, and a method that a path has not, are refused', async () => {
    for (const path of ['/nowhere', '/publish/', '/clients/a/b', '/rooms', '/rooms/default', '/rooms/default/nowhere']) {
      assert.equal((await caller.call('GET', path)).status, 404, path);
    }
    for (const path of Object.keys(document.paths)) {
      const methods = operations.filter((one) => one.path === path).map(({ method }) => method);
      const { status, headers } = await caller.call('PATCH', filled(path));
      assert.equal(status, 405, path);
      const allowed = headers.get('Allow').split(', ').filter((method) => !['HEAD', 'OPTIONS'].includes(method));
      assert.deepEqual(allowed.sort(), methods.sort(), path);
    }
  });

  test('HEAD answers as GET does, without a body', async () => {
    for (const path of ['/health', '/openapi.json', '/metrics', '/clients', '/users']) {
      const [head, get] = [await caller.call('HEAD', path), await caller.call('GET', path)];
      assert.equal(head.status, 200, path);
      assert.equal(head.text, '');
      assert.equal(head.headers.get('Content-Type'), get.headers.get('Content-Type'));
    }
    for (const path of ['/subscribe', '/clients/a/trace']) assert.equal((await caller.call('HEAD', path)).status, 405, path);
  });

  test('What a query says wrong is told in a sentence', async () => {
    const wrong = {
      'POST /publish': ['', 'topic=a&topic=b', 'topic=', 'topic=a&qos=3', 'topic=a&qos=', 'topic=a&retain=yes', 'topic=a&unknown=1',
        'topic=a&messageExpiryInterval=-1', 'topic=a&messageExpiryInterval=4294967296', 'topic=a/%2B', 'topic=a/%23', 'topic=%00'],
      'GET /retained': ['', 'filter=', 'filter=a/%23/b', 'filter=a%2B', 'filter=a&limit=0', 'filter=a&limit=1001', 'filter=a&limit=x', 'filter=a&b=c'],
      'GET /subscribe': ['', 'filter=', 'filter=a/%23/b', 'filter=a&qos=2', 'filter=a&unknown=1', `filter=${Array.from({ length: 33 }, (_, n) => n).join('&filter=')}`],
      'GET /clients': ['limit=0', 'limit=1e2', 'limit=1001', 'filter=a'],
      'DELETE /clients/a': ['session=maybe', 'session='],
      'GET /clients/a/trace': ['seconds=0', 'seconds=601', 'seconds=x'],
      'GET /users': ['limit=1'],
      'GET /health': ['deep=1'],
    };
    for (const [request, queries] of Object.entries(wrong)) {
      const [method, path] = request.split(' ');
      for (const query of queries) {
        const { status, json } = await caller.call(method, `${path}?${query}`, method === 'POST' ? { body: 'x' } : {});
        assert.equal(status, 400, `${request}?${query}`);
        assert.match(json.error, /^\S.*[.]$/, `${request}?${query}`);
      }
    }
  });

  test('Pages of the origins that are set may use it, and no others', async () => {
    const asked = { Origin: PAGE, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'authorization' };
    const preflight = await caller.call('OPTIONS', '/users/a', { token: null, headers: asked });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('Access-Control-Allow-Origin'), PAGE);
    assert.match(preflight.headers.get('Access-Control-Allow-Methods'), /PUT/);
    assert.match(preflight.headers.get('Access-Control-Allow-Headers'), /authorization.*last-event-id/i);
    assert.equal(preflight.headers.get('Access-Control-Allow-Credentials'), null);
    for (const [Origin, allowed] of [[PAGE, PAGE], ['https://evil.example', null], [`${PAGE}.evil.example`, null], ['null', null]]) {
      const { headers } = await caller.call('GET', '/metrics', { headers: { Origin } });
      assert.equal(headers.get('Access-Control-Allow-Origin'), allowed, Origin);
      assert.match(headers.get('Vary'), /Origin/i);
      const refused = await caller.call('GET', '/metrics', { token: null, headers: { Origin } });
      assert.equal(refused.headers.get('Access-Control-Allow-Origin'), allowed, 'pages read what is wrong, too');
      const again = await caller.call('OPTIONS', '/users/a', { token: null, headers: { ...asked, Origin } });
      assert.equal(again.headers.get('Access-Control-Allow-Origin'), allowed, Origin);
    }
  });

  test('A schema of the document refuses what is not its own', () => {
    assert.notDeepEqual(validate('Error', { error: 1 }), []);
    assert.notDeepEqual(validate('Message', { topic: 'a', qos: 0, retain: false }), []);
    assert.notDeepEqual(validate('User', { name: 'a', verifier: 'x' }), []);
  });
}

const secured = () => operations.filter(({ operation }) => operation.security);

const filled = (path) => path.replace(/\{\w+\}/g, 'nobody');

const SCOPES = ['publish', 'subscribe', 'retained', 'clients', 'users', 'metrics', 'backup', 'trace'];
