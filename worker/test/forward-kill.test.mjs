// workerd is killed at random moments while messages are reviewed and go to a web server that fails now and then, and started again.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { start } from '../local.mjs';
import { PersistentClient } from './persistent-client.mjs';
import { receive } from './receiver.mjs';

const ROUNDS = 6;
/** The Worker that reviews each message takes a moment. */
const REVIEWER = `export default {
  async fetch() {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return Response.json({ type: 'accept' });
  },
};`;
/** Messages that are not acknowledged at a time. */
const WINDOW = 20;
/** The most messages that are acknowledged between two kills. */
const MOST = 80;

test('What was reviewed and acknowledged reaches a webhook however often workerd is killed, and its identifiers tell what came twice', { timeout: 120_000 }, async () => {
  const data = await mkdtemp(join(tmpdir(), 'mqlite-worker-data-'));
  const hook = await receive(() => (randomInt(8) === 0 ? 503 : 200));
  const quick = { webhook: hook.url, loopback: true, maximumAttempts: 1000, minimumDelayMillis: 10, maximumDelayMillis: 40, batch: 7 };
  const settings = { limits: { maximumQueuedMessages: 100_000 }, forward: [{ name: 'hook', filter: 'qos/#', ...quick }], review: { filter: 'qos/#', service: 'REVIEWER' } };
  const publisher = new PersistentClient('publisher');
  let published = 0;
  let workerd;
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      workerd = await start({ data, settings, peers: { REVIEWER } });
      await publisher.connect(`ws://127.0.0.1:${workerd.port}/mqtt`);
      const goal = publisher.acknowledged.size + randomInt(1, MOST);
      await new Promise((resolve) => {
        publisher.heard = () => {
          if (publisher.acknowledged.size >= goal) return resolve();
          // The broker takes each message once at QoS 2, however often it is sent: so that what comes twice is of the forward's making.
          while (publisher.inFlight < WINDOW) publisher.publish('qos/2', `${(published += 1)}`, 2);
        };
        publisher.heard();
      });
      publisher.heard = () => {};
      if (round === ROUNDS) break;
      await workerd.stop();
      await publisher.listening;
    }
    const taken = () => new Set(hook.taken.map(({ payload }) => payload));
    await hook.until(() => publisher.acknowledged.isSubsetOf(taken()));
    const messages = hook.requests.flatMap(({ json }) => json.messages);
    const payloadsOf = group(messages, 'id', 'payload');
    const idsOf = group(messages, 'payload', 'id');
    console.log(
      `${ROUNDS} kills: acknowledged ${publisher.acknowledged.size}, delivered ${idsOf.size}, requests ${hook.requests.length}, ` +
        `messages taken more than once ${hook.taken.length - taken().size}`,
    );
    assert.deepEqual([...payloadsOf].filter(([, payloads]) => payloads.size > 1), [], 'an identifier is of one message');
    assert.deepEqual([...idsOf].filter(([, ids]) => ids.size > 1), [], 'a message has one identifier');
    await publisher.close();
  } finally {
    await workerd?.stop();
    await hook.stop();
    await rm(data, { recursive: true, force: true });
  }
});

/** The values of `value` by those of `key`. */
function group(messages, key, value) {
  const groups = new Map();
  for (const message of messages) groups.set(message[key], (groups.get(message[key]) ?? new Set()).add(message[value]));
  return groups;
}
