import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startSteered } from './steering.mjs';

let workerd;
before(async () => (workerd = await startSteered()));
after(() => workerd.stop());

const ask = (path, options) => fetch(`http://127.0.0.1:${workerd.port}${path}`, { redirect: 'manual', ...options });

test('The console is at /, with all that it loads, under a strict policy, and wakes no room', async () => {
  const response = await ask('/');
  assert.equal(response.status, 200, 'it is built by: npm --prefix ../www run build');
  const page = await response.text();
  assert.match(page, /<title>MQlite<\/title>/);
  assert.match(response.headers.get('Content-Type'), /^text\/html/);
  // The policy of what it loads stands in the page, before all that loads, and nowhere else; that of who shows it can only be a header.
  const [, head] = /<head>(.*?)<(?:script|link|style|title)/s.exec(page);
  const [, written] = /<meta http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(head);
  const policy = written.replaceAll('&#39;', "'");
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|\*/);
  assert.equal(response.headers.get('Content-Security-Policy'), "frame-ancestors 'none'");
  assert.equal(response.headers.get('X-Content-Type-Options'), 'nosniff');
  assert.equal(response.headers.get('Cache-Control'), 'no-cache');
  const files = [...page.matchAll(/(?:src|href)="\.(\/[^"]+)"/g)].map(([, path]) => path);
  assert.ok(files.length >= 3);
  const types = { css: 'text/css', js: 'text/javascript', png: 'image/png', svg: 'image/svg+xml', webmanifest: 'application/manifest+json' };
  for (const path of files) {
    const file = await ask(path);
    assert.equal(file.status, 200, path);
    assert.ok(file.headers.get('Content-Type').startsWith(types[path.split('.').pop()]), path);
    assert.match(file.headers.get('Content-Security-Policy'), /default-src 'none'/);
    assert.equal(/immutable/.test(file.headers.get('Cache-Control')), path.startsWith('/assets/'), path);
    assert.notEqual((await file.text()).length, 0);
  }
  assert.equal((await workerd.room('default').facts()).started, 0);
});

test('The service worker of the console may get its files, and nothing else, and is asked for anew each time', async () => {
  const response = await ask('/service-worker.js');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('Content-Type'), /^text\/javascript/);
  assert.equal(response.headers.get('Content-Security-Policy'), "default-src 'none'; connect-src 'self'; frame-ancestors 'none'");
  assert.equal(response.headers.get('Cache-Control'), 'no-cache');
  await response.text();
});

test('HEAD has no body, and other methods are not for files', async () => {
  const head = await ask('/', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  for (const method of ['POST', 'PUT', 'DELETE']) assert.equal((await ask('/', { method })).status, 404, method);
});

test('There is no way to other files, or to a list of them', async () => {
  for (const path of ['/assets', '/assets/', '/assets/..%2f..%2fsrc/index.ts', '/..%2fpackage.json', '/%2e%2e/package.json', '/index.html%00', '/nothing.js']) {
    const response = await ask(path);
    assert.equal(response.status, 404, path);
    assert.match(response.headers.get('Content-Type'), /^application\/json/, path);
    assert.equal(response.headers.get('X-Content-Type-Options'), 'nosniff');
    await response.text();
  }
});
