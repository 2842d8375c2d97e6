// What is kept of rooms that are gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Latest } from '../src/latest.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

test('The names of rooms that are gone are forgotten, and those of others are not', async () => {
  const latest = new Latest();
  const alive = { name: 'alive' };
  latest.set('alive', alive);
  for (let number = 0; number < 2_000; number += 1) {
    latest.set(`${number}`, { number });
    if (number % 50 > 0) continue;
    // A reference that was made or read holds until the end of its turn.
    await new Promise((resolve) => setTimeout(resolve));
    collect();
  }
  assert.equal(latest.get('alive'), alive);
  assert.ok(latest.size < 200, String(latest.size));
});
