// The example of the README, run as it stands there but for the port.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';

let workerd;
before(async () => (workerd = await start()));
after(() => workerd.stop());

test('The example for a worker hears what it publishes', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example] = /## In a worker\n.*?```js\n(.*?)```/s.exec(readme);
  const moved = example.replace('127.0.0.1:8787', `127.0.0.1:${workerd.port}`);
  assert.notEqual(moved, example);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', moved], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    for await (const line of createInterface(child.stdout)) {
      assert.equal(line, 'tide/low 06:12');
      return;
    }
    assert.fail('The example ended without a word.');
  } finally {
    child.kill();
  }
});
