// The example of the README, run as it stands there.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

test('The example for a tab runs in Node too, prints what it says, and ends', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example] = /## In a tab\n\n```js\n(.*?)```/s.exec(readme);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', example], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.deepEqual([stdout, status], ['tide/low 06:12\n', 0], stderr);
});
