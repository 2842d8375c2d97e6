// The console without a network: all of it is there, of one build, after a visit with one. It can be installed.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startWorker, useConsole } from './console.mjs';
import { visit } from './parts.mjs';

const dist = fileURLToPath(new URL('../../../www/dist/', import.meta.url));

describe('the console', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open(options);
  }

  /** Waits until the page is kept. */
  async function isKept() {
    await page.evaluate('navigator.serviceWorker.ready.then(({ active }) => new Promise((resolve) => {\
      if (active.state === "activated") resolve();\
      else active.onstatechange = () => active.state === "activated" && resolve();\
    }))');
  }

  /** Waits until what this promises in the page is true. */
  async function until(promise) {
    for (const until = Date.now() + 30_000; !(await page.evaluate(promise)); await page.waitForTimeout(50)) {
      assert.ok(Date.now() < until, promise);
    }
  }

  /** The paths of all that is kept, by the name of the cache. */
  function kept() {
    return page.evaluate(async () => {
      const names = await caches.keys();
      const paths = async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url.slice(document.baseURI.length)).sort();
      return Promise.all(names.map(paths));
    });
  }

  async function mustWorkOffline() {
    await page.context().setOffline(true);
    await page.reload();
    await page.locator('.card .lamp-connected').first().waitFor();
    await page.getByRole('listbox').getByText('sensor/10/temperature', { exact: true }).first().waitFor();
  }

  test('works without a network after one visit, each view of it, in both languages', async () => {
    await open();
    await isKept();
    await mustWorkOffline();
    await visit(page, 'Topics');
    await page.getByRole('tree').waitFor();
    await visit(page, 'Wire');
    await page.getByRole('listbox', { name: 'Packets' }).waitFor();
    await visit(page, 'Bench');
    await page.getByRole('form', { name: 'Setting' }).waitFor();
    await page.getByRole('button', { name: 'New connection' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: /Language|中文/ }).first().click();
    await page.getByRole('navigation').getByRole('button', { name: '压测' }).waitFor();
  });

  test('keeps every file of the build but the service worker itself', async () => {
    await open();
    await isKept();
    const files = (await readdir(dist, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const paths = files.map(({ parentPath, name }) => `${parentPath.endsWith('/') ? parentPath : `${parentPath}/`}${name}`.slice(dist.length));
    assert.deepEqual(await kept(), [paths.filter((path) => path !== 'service-worker.js').sort()]);
  });

  test('works without a network where the worker served it, under the policy that it sends', async () => {
    const worker = await startWorker();
    try {
      await open({ url: worker.page });
      await isKept();
      await mustWorkOffline();
    } finally {
      await page.context().close();
      await worker.stop();
    }
  });

  test('shows the page of a newer build when there is a network, and goes on with one whole build without', async () => {
    const server = await startFolder();
    try {
      await open({ url: server.url });
      await isKept();
      server.title = 'Newer'; // the page alone: it is not what the list of the service worker has
      await page.reload();
      await page.locator('.card .lamp-connected').first().waitFor();
      assert.equal(await page.title(), 'Newer');
      await mustWorkOffline();
      assert.equal(await page.title(), 'MQlite');
    } finally {
      await page.context().close();
      await server.stop();
    }
  });

  test('goes over to a newer build when no page of the former is open', async () => {
    const server = await startFolder();
    try {
      await open({ url: server.url });
      await isKept();
      server.title = 'Newer';
      server.isNewBuild = true;
      await page.reload();
      await until('navigator.serviceWorker.ready.then(({ waiting }) => waiting !== null)');
      assert.equal((await kept()).length, 2);
      const context = page.context();
      await page.close();
      page = await context.newPage();
      await page.goto(server.url);
      await until('caches.keys().then(({ length }) => length === 1)');
      await mustWorkOffline();
      assert.equal(await page.title(), 'Newer');
    } finally {
      await page.context().close();
      await server.stop();
    }
  });

  test('keeps nothing when one file is not of the build of the others', async () => {
    const server = await startFolder();
    try {
      server.title = 'Newer';
      await open({ url: server.url });
      await server.asked('index.html'); // by the service worker, since the page has it
      await until('navigator.serviceWorker.getRegistrations().then((all) => all.every(({ installing }) => !installing))');
      assert.deepEqual(await kept(), []);
      assert.equal(await page.evaluate('navigator.serviceWorker.getRegistrations().then(({ length }) => length)'), 0);
    } finally {
      await page.context().close();
      await server.stop();
    }
  });

  test('goes on with what it has when another service worker for the same files could not be installed', async () => {
    const server = await startFolder();
    try {
      await open({ url: server.url });
      await isKept();
      const before = await kept();
      server.title = 'Newer';
      server.isOtherWorker = true;
      const asked = server.asked('index.html');
      await page.evaluate('navigator.serviceWorker.getRegistration().then((registration) => void registration.update())');
      await asked;
      await until('navigator.serviceWorker.getRegistration().then(({ installing }) => !installing)');
      assert.deepEqual(await kept(), before);
      await mustWorkOffline();
      assert.equal(await page.title(), 'MQlite');
    } finally {
      await page.context().close();
      await server.stop();
    }
  });

  test('can be installed: its manifest and icons are what they say', async () => {
    await open();
    const session = await page.context().newCDPSession(page);
    const { data, errors } = await session.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    const { name, display, start_url: start, icons } = JSON.parse(data);
    assert.deepEqual([name, display, start], ['MQlite', 'standalone', './']);
    for (const { src, type, sizes } of icons.filter((icon) => icon.sizes !== 'any')) {
      const [bytes, width] = await page.evaluate(async (address) => {
        const response = await fetch(address);
        const image = await createImageBitmap(await response.clone().blob());
        return [`${response.headers.get('Content-Type')}`, `${image.width}x${image.height}`];
      }, src);
      assert.deepEqual([bytes, width], [type, sizes]);
    }
    assert.ok(icons.some(({ purpose }) => purpose === 'maskable'));
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
  });
});

/**
 * Serves what is built, with another title in its page where one is set, which its service worker knows if that is a new build; or
 * with a service worker that is another one for the same files.
 */
async function startFolder() {
  const waiting = new Map();
  const folder = { title: null, isNewBuild: false, isOtherWorker: false, asked: (name) => new Promise((resolve) => waiting.set(name, resolve)) };
  const page = (body) => (folder.title ? Buffer.from(body.toString().replace('<title>MQlite<', `<title>${folder.title}<`)) : body);
  const digest = (body) => createHash('sha256').update(body).digest('base64');
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname.slice(1) || 'index.html';
    try {
      let body = await readFile(`${dist}${path}`);
      if (path === 'index.html') body = page(body);
      if (path === 'service-worker.js' && folder.isNewBuild) {
        const index = await readFile(`${dist}index.html`);
        body = body.toString().replaceAll(digest(index), digest(page(index))).replace(/(?<!:)(["'`])sha256-/, '$1newer-');
      }
      if (path === 'service-worker.js' && folder.isOtherWorker) body = `${body}\n`;
      response.writeHead(200, { 'Content-Type': TYPES[extname(path)], 'Cache-Control': 'no-cache' }).end(body);
      waiting.get(path)?.();
    } catch {
      response.writeHead(404).end();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  folder.url = `http://127.0.0.1:${server.address().port}/`;
  folder.stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return folder;
}

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};
