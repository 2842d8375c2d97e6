// The storage in IndexedDB, as the IndexedDB of Chromium has it: what it keeps, and each way in which it fails.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { launch } from './browser.mjs';
import { serve } from './origin.mjs';
import { crash } from './tab.mjs';

describe('the storage in IndexedDB', () => {
  let origin, browser, context, page;
  let database = 0;
  let name;
  let errors;

  const open = async (path = '/storage', host = '127.0.0.1') => {
    const opened = await context.newPage();
    await opened.goto(`http://${host}:${origin.port}${path}`);
    await opened.waitForFunction('globalThis.isReady');
    return opened;
  };
  /** Calls a function of tab/storage.mjs. */
  const call = (where, what, ...args) => where.evaluate(([what, args]) => globalThis[what](...args), [what, args]);
  /** A storage named `s` in this page, which has loaded. */
  const opened = async (where, options = {}) => {
    await call(where, 'make', 's', name, options);
    return call(where, 'load', 's');
  };

  before(async () => {
    origin = await serve(['storage', 'broker']);
    browser = await launch('--host-resolver-rules=MAP insecure.test 127.0.0.1');
  });
  after(async () => {
    await browser?.close();
    origin?.close();
  });
  afterEach(() => assert.deepEqual(errors, [], 'nobody handled these'));
  beforeEach(async () => {
    await context?.close();
    context = await browser.newContext();
    errors = [];
    context.on('weberror', (error) => errors.push(String(error.error())));
    page = await open();
    name = `database ${(database += 1)}`;
  });

  test('what was committed is there after a reload, in one order, and what was removed is not', async () => {
    assert.deepEqual(await opened(page), []);
    await call(page, 'commit', 's', [['02', 'bb'], ['01', 'aa'], ['0100', ''], ['03', 'cc'], ['ff'.repeat(65_544), '00']]);
    await call(page, 'commit', 's', [['03', null], ['04', null], ['01', 'ab']]);
    await page.reload();
    await page.waitForFunction('globalThis.isReady');
    assert.deepEqual(await opened(page), ['01 ab', '0100 ', '02 bb', `${'ff'.repeat(65_544)} 00`]);
  });

  test('of the changes of one record in one commit the last one counts', async () => {
    await opened(page);
    await call(page, 'commit', 's', [['01', 'aa'], ['02', 'aa'], ['80', '01'], ['81', '02'], ['01', null], ['02', null], ['02', 'bb']]);
    assert.deepEqual(await call(page, 'load', 's'), ['02 bb', '80 01', '81 02']);
  });

  for (const count of [999, 1_000, 2_001]) {
    test(`${count} records are read in batches, and all of them are`, async () => {
      await opened(page);
      const records = Array.from({ length: count }, (_, index) => [(index + 256).toString(16).padStart(4, '0'), 'aa']);
      await call(page, 'commit', 's', records);
      assert.deepEqual(await call(page, 'load', 's'), records.map(([key, value]) => `${key} ${value}`));
    });
  }

  test('only the bytes of a value are stored, not the buffer that they lie in', async () => {
    await opened(page);
    const lengths = await page.evaluate(async (database) => {
      const storage = mqlite.indexedDb(`${database} of slices`);
      await storage.load();
      const slice = new Uint8Array(1_000).fill(7).subarray(10, 12);
      await storage.commit([{ key: slice, value: slice }]);
      return (await storage.load()).map(({ key, value }) => [key.length, value.length, value.buffer.byteLength]);
    }, name);
    assert.deepEqual(lengths, [[2, 2, 2]]);
  });

  for (const [durability, options] of [['strict', {}], ['strict', { durability: 'strict' }], ['relaxed', { durability: 'relaxed' }]]) {
    test(`a commit is one ${durability} transaction and resolves when it is complete: ${JSON.stringify(options)}`, async () => {
      await page.evaluate(() => {
        globalThis.heard = [];
        const { transaction } = IDBDatabase.prototype;
        IDBDatabase.prototype.transaction = function (...args) {
          const begun = transaction.apply(this, args);
          if (begun.mode === 'readonly') return begun;
          heard.push(`${begun.mode} ${begun.durability}`);
          begun.addEventListener('complete', () => heard.push('complete'));
          return begun;
        };
      });
      await opened(page, options);
      assert.deepEqual(
        await page.evaluate(async () => {
          await commit('s', [['01', 'aa'], ['02', 'bb'], ['01', null]]);
          return heard;
        }),
        [`readwrite ${durability}`, 'complete'],
      );
    });
  }

  test('no room is storage-full, nothing of that commit is stored, and what was there stays', async () => {
    const session = await context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: origin.url, quotaSize: 200_000 });
    await opened(page);
    assert.equal(await call(page, 'commit', 's', [['01', 'aa']]), 'done');
    const error = await page.evaluate(() => commitLarge('s', '02', 2_000_000));
    assert.equal(error.code, 'storage-full');
    assert.equal(error.message, `There is no room for more in the database "${name}".`);
    assert.match(error.hint, /Free space/);
    assert.deepEqual(await call(page, 'load', 's'), ['01 aa']);
  });

  test('a value that the browser does not take is storage-failed, with what the browser says', async () => {
    await opened(page);
    const error = await page.evaluate(() => commitLarge('s', '02', 130 << 20));
    assert.equal(error.code, 'storage-failed');
    assert.match(error.message, /^The database "database \d+" failed: .*too large.*\.$/);
    assert.equal(await call(page, 'commit', 's', [['01', 'aa']]), 'done');
  });

  test('a value as large as it says is taken', async () => {
    await opened(page);
    assert.equal(await page.evaluate(() => commitLarge('s', '02', mqlite.indexedDb('x').maximumValueBytes)), 'done');
  });

  test('a frame in a sandbox has no storage: storage-unavailable', async () => {
    await page.evaluate(() => {
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = '<!doctype html><title>frame</title>';
      document.body.append(frame);
      return new Promise((resolve) => (frame.onload = resolve));
    });
    const frame = page.frames()[1];
    await frame.addScriptTag({ type: 'module', content: origin.script('storage') });
    await frame.waitForFunction('globalThis.isReady');
    const error = await opened(frame);
    assert.equal(error.code, 'storage-unavailable');
    assert.match(error.hint, /sandbox/);
  });

  test('a page of a data: URL has no storage: storage-unavailable', async () => {
    await page.goto('data:text/html,<title>data</title>');
    await page.addScriptTag({ type: 'module', content: origin.script('storage') });
    await page.waitForFunction('globalThis.isReady');
    assert.equal((await opened(page)).code, 'storage-unavailable');
  });

  test('a page that came over plain HTTP has no locks, so it could not be alone: storage-unavailable', async () => {
    const insecure = await open('/storage', 'insecure.test');
    const error = await opened(insecure);
    assert.equal(error.code, 'storage-unavailable');
    assert.match(error.hint, /HTTPS/);
    assert.equal(await insecure.evaluate(async () => (await indexedDB.databases()).length), 0);
  });

  test('a browser that cannot open the database says storage-unavailable', async () => {
    // As on a disk that is broken: the upgrade is not done.
    await page.evaluate(() => {
      IDBFactory.prototype.open = new Proxy(IDBFactory.prototype.open, {
        apply(open, factory, args) {
          const request = Reflect.apply(open, factory, args);
          queueMicrotask(() => request.addEventListener('upgradeneeded', () => request.transaction.abort()));
          return request;
        },
      });
    });
    const error = await opened(page);
    assert.equal(error.code, 'storage-unavailable');
    assert.match(error.hint, /profile is damaged/);
  });

  test('a database that a newer version has written is storage-failed, and says to update', async () => {
    await call(page, 'openRaw', name, 2);
    const error = await opened(page);
    assert.equal(error.code, 'storage-failed');
    assert.equal(error.message, `A newer version of MQlite has written the database "${name}".`);
    assert.match(error.hint, /^Update/);
  });

  test("a database that is somebody else's is storage-failed, and left alone", async () => {
    await call(page, 'openRaw', name, 1);
    const error = await opened(page);
    assert.equal(error.code, 'storage-failed');
    assert.match(error.message, /no broker's/);
    assert.equal(await call(page, 'deleteRaw', name).then(String), 'blocked');
  });

  test('an upgrade that another tab blocks is storage-blocked, and goes on once that tab is gone', async () => {
    const other = await open();
    const upgraded = await openTomorrows();
    await opened(other);
    await call(other, 'commit', 's', [['01', 'aa']]);
    await call(other, 'close', 's');
    await call(other, 'openRaw', name, 1);
    const error = await opened(upgraded, { openTimeoutMillis: 2 ** 31 - 1 });
    assert.equal(error.code, 'storage-blocked');
    assert.equal(error.message, `Other code keeps the database "${name}" from opening.`);
    assert.match(error.hint, /Close the other tabs/);
    await other.close();
    assert.deepEqual(await opened(upgraded), ['01 aa']);
  });

  test('a deletion that another tab blocks keeps the database from opening: storage-blocked, in time', async () => {
    const other = await open();
    await call(other, 'openRaw', name, 1);
    assert.deepEqual(await call(other, 'deleteRaw', name), ['blocked']);
    const error = await opened(page, { openTimeoutMillis: 50 });
    assert.equal(error.code, 'storage-blocked');
    await call(other, 'closeRaw');
    assert.deepEqual(await opened(page, { wait: false }), []);
    await call(page, 'close', 's');
    assert.deepEqual(await call(other, 'deleteRaw', name), ['deleted'], 'what opened too late is closed');
  });

  test('a deletion in another tab is not held up; the next commit is storage-lost, and another broker may begin', async () => {
    const other = await open();
    await opened(page);
    await call(page, 'commit', 's', [['01', 'aa']]);
    assert.deepEqual(await call(other, 'deleteRaw', name), ['deleted']);
    const error = await call(page, 'commit', 's', [['02', 'aa']]);
    assert.equal(error.code, 'storage-lost');
    assert.equal(error.message, `Other code deletes or upgrades the database "${name}" while a broker had it open.`);
    assert.equal((await call(page, 'load', 's')).code, 'storage-lost');
    assert.deepEqual(await opened(other, { wait: false }), []);
  });

  test('the site data cleared by the user in the midst of commits is storage-lost', async () => {
    await opened(page);
    const session = await context.newCDPSession(page);
    await page.evaluate(() => {
      globalThis.count = 0;
      globalThis.ended = (async () => {
        for (;;) {
          const end = await commitLarge('s', '01', 100_000);
          if (end !== 'done') return [end, await commit('s', [['02', 'aa']])];
          count += 1;
        }
      })();
    });
    await page.waitForFunction('count > 3');
    await session.send('Storage.clearDataForOrigin', { origin: origin.url, storageTypes: 'indexeddb' });
    const [atOnce, later] = await page.evaluate('ended');
    assert.equal(atOnce.code, 'storage-lost');
    assert.equal(atOnce.message, `The browser closed the database "${name}" while a broker had it open.`);
    assert.equal(later.code, 'storage-lost');
    const other = await open();
    assert.deepEqual(await opened(other, { wait: false }), []);
  });

  test('the site data cleared by the user between commits is storage-lost', async () => {
    await opened(page);
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', { origin: origin.url, storageTypes: 'indexeddb' });
    assert.equal((await call(page, 'commit', 's', [['02', 'aa']])).code, 'storage-lost');
  });

  test('a broker that has the database open is told of, at once where one does not wait: storage-in-use', async () => {
    const other = await open();
    await opened(page);
    const error = await opened(other, { wait: false });
    assert.equal(error.code, 'storage-in-use');
    assert.equal(error.message, `Another broker has the database "${name}" open.`);
    assert.match(error.hint, /another tab/);
    await call(page, 'close', 's');
    assert.deepEqual(await opened(other, { wait: false }), []);
  });

  test('two storages in one page exclude each other too, and databases of other names do not', async () => {
    await opened(page);
    assert.equal((await page.evaluate((name) => (make('t', name, { wait: false }), load('t')), name)).code, 'storage-in-use');
    assert.deepEqual(await page.evaluate((name) => (make('t', name, { wait: false }), load('t')), `${name} b`), []);
  });

  for (const [how, end] of [
    ['closes its storage', () => call(page, 'close', 's')],
    ['is closed', () => page.close()],
    ['goes elsewhere', () => page.goto('about:blank')],
    ['is reloaded', () => page.reload()],
    ['crashes', () => crash(page)],
  ]) {
    test(`a broker that waits has the database when the page that has it ${how}, with all that was committed`, async () => {
      const other = await open();
      await opened(page);
      await call(page, 'commit', 's', [['01', 'aa']]);
      await call(other, 'make', 's', name);
      await other.evaluate(() => void (globalThis.loading = load('s').finally(() => (globalThis.isLoaded = true))));
      await waiting(other);
      await end();
      assert.deepEqual(await other.evaluate('loading'), ['01 aa']);
    });
  }

  test('who waits for the database can give up: storage-in-use, with the cause', async () => {
    const other = await open();
    await opened(page);
    await other.evaluate(async (database) => {
      globalThis.controller = new AbortController();
      make('s', database, { signal: controller.signal });
      globalThis.loading = load('s');
    }, name);
    await waiting(other);
    await other.evaluate('controller.abort()');
    assert.equal((await other.evaluate('loading')).code, 'storage-in-use');
    assert.equal((await other.evaluate(() => load('s'))).code, 'storage-in-use');
    await call(page, 'close', 's');
    assert.deepEqual(await opened(other, { wait: false }), []);
  });

  test('other code that takes the lock away makes it storage-lost: there are never two', async () => {
    const other = await open();
    await opened(page);
    await other.evaluate((name) => new Promise((held) => {
      navigator.locks.request(name, { steal: true }, () => new Promise(() => held()));
    }), `mqlite:${name}`);
    const error = await call(page, 'commit', 's', [['01', 'aa']]);
    assert.equal(error.code, 'storage-lost');
    assert.equal(error.message, `Other code took the lock of the database "${name}" while a broker had it open.`);
  });

  test('a storage that was closed opens again, and does not write in between', async () => {
    await opened(page);
    await call(page, 'commit', 's', [['01', 'aa']]);
    await call(page, 'close', 's');
    assert.equal((await call(page, 'commit', 's', [['02', 'aa']])).code, 'storage-failed');
    assert.deepEqual(await call(page, 'load', 's'), ['01 aa']);
  });

  test('a page that is frozen for a while goes on', async () => {
    await opened(page);
    const session = await context.newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    assert.equal(await call(page, 'commit', 's', [['01', 'aa']]), 'done');
  });

  test('a broker whose storage is full is over: what was not stored is not acknowledged, and the next has the rest', async () => {
    const broken = await openBrokers({});
    assert.equal((await call(broken, 'publish', 't/1', 10)), 'done');
    assert.equal((await call(broken, 'publish', 't/2', 900_000)).code, 'interrupted');
    assert.equal((await broken.evaluate(() => told(() => broker.connect()))).code, 'storage-full');
    assert.equal((await broken.evaluate(() => told(() => broker.close()))).code, 'storage-full');
    assert.deepEqual(errors.splice(0).map((error) => error.split(':')[0]), ['MqttError']); // nobody waited for it
    const next = await open('/broker');
    assert.equal(await call(next, 'openBroker', name, {}, { wait: false }), 'done');
    assert.deepEqual(await next.evaluate(() => broker.statistics().retainedMessages), 1);
  });

  test('a broker that may go on in memory does so when its storage is full, says it, and frees the storage', async () => {
    const full = await openBrokers({ storageFallback: 'memory' });
    assert.equal((await call(full, 'publish', 't/1', 10)), 'done');
    assert.equal((await call(full, 'publish', 't/2', 900_000)), 'done');
    assert.equal((await call(full, 'publish', 't/3', 10)), 'done');
    assert.deepEqual(await full.evaluate(() => [events, broker.statistics().retainedMessages]), [['storage-full'], 3]);
    const next = await open('/broker');
    assert.equal(await call(next, 'openBroker', name, {}, { wait: false }), 'done');
    assert.deepEqual(await next.evaluate(() => broker.statistics().retainedMessages), 1);
  });

  test('a broker opens in memory, instead of not at all, only where it is told to', async () => {
    const first = await open('/broker');
    assert.equal(await call(first, 'openBroker', name), 'done');
    const second = await open('/broker');
    assert.equal((await call(second, 'openBroker', name, {}, { wait: false })).code, 'storage-in-use');
    assert.equal(await call(second, 'openBroker', name, { storageFallback: 'memory' }, { wait: false }), 'done');
    assert.deepEqual(await second.evaluate('events'), ['storage-in-use']);
  });

  /** A page with a broker for which there are 200,000 bytes. */
  async function openBrokers(options) {
    const session = await context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: origin.url, quotaSize: 200_000 });
    const opened = await open('/broker');
    assert.equal(await call(opened, 'openBroker', name, options), 'done');
    return opened;
  }

  /** A page with the package as it will be when the database has another version. */
  async function openTomorrows() {
    const opened = await open();
    await opened.evaluate(() => {
      const { open } = IDBFactory.prototype;
      IDBFactory.prototype.open = function (name, version) {
        return open.call(this, name, version + 1);
      };
    });
    return opened;
  }

  /** Until this page waits for the lock. */
  const waiting = (where) =>
    where.evaluate(async (name) => {
      while (!(await navigator.locks.query()).pending.some((lock) => lock.name === name)) await new Promise(requestAnimationFrame);
    }, `mqlite:${name}`);
});
