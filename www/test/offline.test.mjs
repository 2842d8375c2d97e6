// The list of what was built, which the service worker has.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { offline } from '../offline.ts';

describe('the service worker of a build', () => {
  test('has the name of another cache when a file is another, or its own code alone', async () => {
    const name = await nameOf({ page: 'page', code: 'one' });
    assert.equal(await nameOf({ page: 'page', code: 'one' }), name);
    assert.notEqual(await nameOf({ page: 'newer page', code: 'one' }), name);
    assert.notEqual(await nameOf({ page: 'page', code: 'other' }), name);
  });

  test('has the digest of each file that was built and of each that is public, and none of itself', async () => {
    const { files } = await built({ page: 'page', code: 'one' });
    assert.deepEqual(Object.keys(files), ['icon.png', 'index.html']);
    for (const digest of Object.values(files)) assert.match(digest, /^sha256-.{44}$/);
  });
});

async function nameOf(build) {
  return (await built(build)).name;
}

/** What the worker of a build says: one of a page, of the code of the worker, and of an icon. */
async function built({ page, code }) {
  const plugin = offline();
  plugin.configResolved({ publicDir: 'public' });
  const worker = { type: 'chunk', fileName: 'service-worker.js', imports: [], code: `const files = __FILES__, name = __BUILD__; ${JSON.stringify(code)}` };
  const bundle = { [worker.fileName]: worker, 'index.html': { type: 'asset', fileName: 'index.html', source: page } };
  const fs = { readdir: async () => ['icon.png'], readFile: async () => Uint8Array.of(1) };
  await plugin.generateBundle.handler.call({ fs }, {}, bundle);
  const [, files, name] = /^const files = (.*), name = "(.*)"; /.exec(worker.code);
  return { files: JSON.parse(files), name };
}
