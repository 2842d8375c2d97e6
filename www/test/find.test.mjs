// Which topics a filter matches.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesFilter } from '../src/model/find.ts';

for (const [filter, topic, expected] of [
  ['sensor/+/temperature', 'sensor/10/temperature', true],
  ['sensor/+/temperature', 'sensor/10/humidity', false],
  ['sensor/+', 'sensor/10/temperature', false],
  ['sensor/#', 'sensor', true],
  ['sensor/#', 'sensor/10/temperature', true],
  ['#', 'a/b', true],
  ['+', '/a', false],
  ['/+', '/a', true],
  ['#', '$SYS/broker', false],
  ['+/broker', '$SYS/broker', false],
  ['$SYS/#', '$SYS/broker', true],
  ['$share/workers/job/+', 'job/1', true],
  ['a/b', 'a/b/c', false],
]) {
  test(`${filter} ${expected ? 'matches' : 'does not match'} ${topic}`, () => assert.equal(matchesFilter(filter, topic), expected));
}
