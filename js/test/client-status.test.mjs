// When a client tries again, most of it by the statuses alone, without a connection; and what it is told when it is over.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedServer } from './scripted-server.mjs';
import { source } from './support.mjs';

const { Course } = await source('status.ts');
const { Alarms } = await source('timer.ts');
const { afterReason } = await source('refusals.ts');

/** The delays of `count` failures in a row, with this random number. */
function delays(course, count) {
  return Array.from({ length: count }, () => {
    course.lost(1_000, 'later');
    const delay = course.dueAt - 1_000;
    assert.ok(course.wake());
    return delay;
  });
}

test('The limit of the delay doubles up to the greatest, and the delay is anything below it', () => {
  assert.deepEqual(delays(new Course({}, () => 0.999_999), 8), [499, 999, 1_999, 3_999, 7_999, 15_999, 29_999, 29_999]);
  assert.deepEqual(delays(new Course({}, () => 0), 3), [0, 0, 0]);
  assert.deepEqual(delays(new Course({ minimumDelayMillis: 100, maximumDelayMillis: 300 }, () => 0.5), 4), [50, 100, 150, 150]);
  const [longest] = delays(new Course({}, () => 0.999_999), 3_000).slice(-1);
  assert.equal(longest, 29_999, 'no power of two is too large');
});

test('A connection that lasted begins the delays anew, and one that was closed at once does not', () => {
  const course = new Course({}, () => 0.999_999);
  delays(course, 3);
  course.accepted(0);
  course.lost(9_999, 'later');
  assert.equal(course.dueAt, 9_999 + 3_999);
  course.wake();
  course.accepted(0);
  course.lost(10_000, 'later');
  assert.equal(course.dueAt, 10_000 + 499);
});

test('The statuses follow each other as they may', () => {
  const course = new Course({}, () => 0);
  assert.equal(course.status, 'connecting');
  assert.equal(course.wake(), false, 'it is trying already');
  course.accepted(0);
  assert.equal(course.status, 'connected');
  assert.equal(course.wake(), false, 'it has what it wants');
  course.lost(0, 'now');
  assert.equal(course.status, 'connecting');
  course.lost(0, 'online');
  assert.deepEqual([course.status, course.dueAt], ['waiting', undefined]);
  assert.equal(course.wake(), true);
  course.lost(0, 'never');
  assert.equal(course.status, 'ended');
  for (const next of ['later', 'now', 'online']) course.lost(0, next);
  course.accepted(0);
  assert.deepEqual([course.status, course.wake()], ['ended', false]);
});

test('As many attempts fail as may, and none where a client does not come back', () => {
  const course = new Course({ maximumAttempts: 2 }, () => 0);
  course.accepted(0);
  delays(course, 2);
  course.lost(0, 'later');
  assert.equal(course.status, 'ended');
  for (const next of ['later', 'online']) {
    const once = new Course(undefined, () => 0);
    once.lost(0, next);
    assert.equal(once.status, 'ended', next);
  }
});

test('A Reason Code ends the client where another attempt would fare no better', () => {
  const never = [];
  for (let reason = 0x80; reason <= 0xa2; reason += 1) {
    if (afterReason(reason, { asksAgain: false }) === 'never') never.push(reason);
  }
  const credentials = [0x86, 0x87];
  assert.deepEqual(never, [
    0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x8e, 0x8f, 0x90, 0x95, 0x99, 0x9a, 0x9b, 0x9d, 0x9e, 0xa1, 0xa2,
  ]);
  for (const reason of never) {
    assert.equal(afterReason(reason, { asksAgain: true }), credentials.includes(reason) ? 'later' : 'never');
  }
});

test('Many alarms share one timer, and each rings once', () => {
  let due;
  const calls = [];
  const timer = { set: (at, call) => (due = { at, call }), clear: () => (due = undefined) };
  const alarms = new Alarms(timer);
  const [a, b, c] = [alarms.alarm(), alarms.alarm(), alarms.alarm()];
  const ring = () => {
    const { call } = due;
    due = undefined;
    call();
  };
  a.set(30, () => calls.push('a'));
  b.set(10, () => calls.push('b'));
  c.set(20, () => calls.push('c'));
  assert.equal(due.at, 10);
  b.clear();
  ring();
  assert.deepEqual([calls, due.at], [[], 20], 'what was cleared rings for nobody');
  c.set(15, () => calls.push('c again'));
  assert.equal(due.at, 15);
  ring();
  assert.deepEqual([calls, due.at], [['c again'], 30]);
  a.set(40, () => {
    calls.push('a');
    a.set(50, () => calls.push('a again'));
  });
  ring();
  ring();
  assert.deepEqual([calls, due.at], [['c again', 'a'], 50], 'an alarm may be set from its own call');
  a.clear();
  assert.equal(due, undefined);
});

test('An error has the server’s own words, in an answer and in its DISCONNECT', async () => {
  const [client, connection] = await new ScriptedServer().connect();
  const ended = new Promise((resolve) => client.on('status', (status, { error }) => status === 'ended' && resolve(error)));
  const subscribing = client.subscribe('a', () => {});
  const { messageId } = await connection.hear('subscribe');
  connection.say({ cmd: 'suback', messageId, granted: [0x87], properties: { reasonString: 'Not this one' } });
  await assert.rejects(subscribing, { code: 'refused', reason: 0x87, reasonString: 'Not this one' });
  connection.say({ cmd: 'disconnect', reasonCode: 0x8e, properties: { reasonString: 'Enough' } });
  const { code, reason, reasonString } = await ended;
  assert.deepEqual([code, reason, reasonString], ['closed', 0x8e, 'Enough']);
});
