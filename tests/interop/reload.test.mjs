// What was acknowledged outlives the tab that the broker is in, whatever ends it. Alone: `npm run reload`.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Device } from './devices.mjs';
import { serve } from './origin.mjs';
import { ENDS, Tab } from './tab.mjs';

/** Packets of the publisher and the subscriber after which the page is reloaded; what the broker says may be heard, or lost. */
const CUTS = {
  1: ['publisher >publish', 'publisher <puback', 'subscriber <publish', 'subscriber >puback'],
  2: [
    ...['publisher >publish', 'publisher <pubrec', 'publisher >pubrel', 'publisher <pubcomp'],
    ...['subscriber <publish', 'subscriber >pubrec', 'subscriber <pubrel', 'subscriber >pubcomp'],
  ],
};

const message = (number) => `QoS ${1 + (number % 2)}, message ${number}`;
const qosOf = (payload) => Number(payload[4]);

/**
 * Ways to end a tab while its browser writes. A Chromium that is killed then can tear its own log, which it takes for damage
 * later: about once in a hundred times, it removed all databases.
 */
const IN_THE_MIDST = ['reload', 'close', 'crash'];
/** Of the test that ends tabs anywhere. */
const ROUNDS = Number(process.env.ROUNDS ?? 12);
const SEED = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 2 ** 31));
let state = SEED;

describe('a broker whose tab ends', () => {
  let origin, tab;
  let database = 0;
  const totals = { ends: 0, messages: 0, acknowledged: 0, lost: 0, duplicated: 0 };

  before(async () => {
    origin = await serve(['broker']);
    tab = await Tab.launch(origin);
  });
  after(async () => {
    await tab?.close();
    origin?.close();
    console.log(`tabs ended ${totals.ends}, messages ${totals.messages}, acknowledged ${totals.acknowledged}, lost ${totals.lost}, QoS 2 duplicated ${totals.duplicated}`);
  });

  /** A broker on a database of its own, a publisher, and a subscriber to everything. */
  async function begin(options) {
    const name = `database ${(database += 1)}`;
    await tab.openBroker(name, options);
    const [publisher, subscriber] = [new Device('publisher'), new Device('subscriber')];
    for (const device of [publisher, subscriber]) await device.connect(tab);
    await subscriber.subscribe('#', 2);
    return { name, options, publisher, subscriber };
  }

  /** Opens the broker again, and connects these. */
  async function goOn({ name, options }, ...devices) {
    await tab.openBroker(name, options);
    assert.deepEqual(await tab.page.evaluate('[...events, broker.statistics().sessions]'), [2], 'all records are of use');
    for (const device of devices) await device.connect(tab);
  }

  /** What was sent has to be there: all of it, in its order, QoS 2 once. */
  function account({ publisher, subscriber }, sent) {
    const { delivered } = subscriber;
    const there = new Set(delivered);
    const lost = sent.filter((payload) => !there.has(payload));
    const again = delivered.filter((payload, index) => payload.startsWith('QoS 2') && delivered.indexOf(payload) !== index);
    totals.messages += sent.length;
    totals.acknowledged += publisher.acknowledged.length;
    totals.lost += lost.length;
    totals.duplicated += again.length;
    assert.deepEqual(publisher.acknowledged.toSorted(), sent.toSorted());
    assert.deepEqual(lost, []);
    assert.deepEqual(again, []);
    for (const qos of ['QoS 1', 'QoS 2']) {
      const ofQos = (payload) => payload.startsWith(qos); // [MQTT-4.6.0-5]: in the order of each topic and QoS
      assert.deepEqual([...there].filter(ofQos), sent.filter(ofQos));
    }
  }

  for (const qos of [1, 2]) {
    for (const cut of CUTS[qos]) {
      for (const what of cut.includes('<') ? ['heard', 'lost'] : ['reload']) {
        test(`QoS ${qos}: the page is reloaded at ${cut}${what === 'reload' ? '' : `, which is ${what}`}`, async () => {
          const world = await begin();
          const { publisher, subscriber } = world;
          const [who, packet] = cut.split(' ');
          let count = 0;
          const ended = new Promise((resolve) => {
            world[who].watch = (heard) => {
              // The second of three.
              if (heard !== packet || (count += 1) !== 2) return undefined;
              resolve();
              return what;
            };
          });
          const sent = [1, 2, 3].map((number) => `QoS ${qos}, message ${number}`);
          for (const payload of sent) publisher.publish('t', payload, qos);
          await ended;
          for (const device of [publisher, subscriber]) device.cut();
          await tab.end('reload');
          totals.ends += 1;
          await goOn(world, publisher, subscriber);
          await publisher.until(() => publisher.isSettled);
          await subscriber.until(() => subscriber.isSettled && new Set(subscriber.delivered).size === sent.length);
          account(world, sent);
          await nothingIsLeft();
        });
      }
    }
  }

  for (const how of ENDS) {
    test(`1,000 messages wait for a session, and the tab ends: ${how}`, async () => {
      const world = await begin();
      const { publisher, subscriber } = world;
      await goOffline(subscriber);
      const sent = Array.from({ length: 1_000 }, (_, number) => message(number));
      for (const payload of sent) await publisher.publish('t', payload, qosOf(payload));
      await publisher.until(() => publisher.isSettled);
      publisher.cut();
      await tab.end(how);
      totals.ends += 1;
      await goOn(world, subscriber);
      await subscriber.until(() => subscriber.isSettled && subscriber.delivered.length >= sent.length);
      account(world, sent);
      await nothingIsLeft();
    });
  }

  test(`the tab ends ${ROUNDS} times in the midst of messages, in three ways, with seed ${SEED}`, async () => {
    const world = await begin();
    const { publisher, subscriber } = world;
    const sent = [];
    let isOver = false;
    const publishing = (async () => {
      while (!isOver) {
        const payload = message(sent.length);
        sent.push(payload);
        await publisher.publish('t', payload, qosOf(payload));
      }
    })();
    for (let round = 0; round < ROUNDS; round += 1) {
      let left = 1 + random(150);
      const ended = new Promise((resolve) => {
        const count = () => {
          left -= 1;
          if (left > 0) return undefined;
          resolve();
          return 'lost';
        };
        for (const device of [publisher, subscriber]) device.watch = count;
      });
      await ended;
      for (const device of [publisher, subscriber]) {
        device.watch = () => undefined;
        device.cut();
      }
      await tab.end(IN_THE_MIDST[round % IN_THE_MIDST.length]);
      totals.ends += 1;
      await goOn(world, publisher, subscriber);
    }
    isOver = true;
    await publishing;
    await publisher.until(() => publisher.isSettled);
    await subscriber.until(() => subscriber.isSettled && new Set(subscriber.delivered).size === sent.length);
    account(world, sent);
    await nothingIsLeft();
  });

  test('a database that the browser removed because its files are damaged is told of once: storage-lost', async () => {
    const { name } = await begin();
    await tab.end('kill');
    await tab.damage();
    await assert.rejects(tab.openBroker(name), {
      code: 'storage-lost',
      message: `The browser found its files damaged, and removed the database "${name}".`,
    });
    await tab.openBroker(name);
    assert.equal(await tab.page.evaluate(() => broker.statistics().sessions), 0);
  });

  test('a page that was left and is come back to goes on with its broker', async () => {
    await begin();
    await tab.page.evaluate(() => addEventListener('pageshow', ({ persisted }) => (globalThis.isBack = persisted)));
    await tab.page.goto(`${origin.url}/elsewhere`);
    tab.page.evaluate(() => history.back()).catch(() => {});
    await tab.page.waitForFunction('globalThis.isBack');
    assert.equal(await tab.page.evaluate(() => publish('t', 10)), 'done');
  });

  test('a page that was left does not keep the database from another tab', async () => {
    const { name } = await begin();
    assert.equal(await tab.page.evaluate(() => publish('t', 10)), 'done');
    await tab.page.goto(`${origin.url}/elsewhere`);
    const other = await tab.page.context().newPage();
    await other.goto(`${origin.url}/broker`);
    await other.waitForFunction('globalThis.isReady');
    assert.equal(await other.evaluate((name) => openBroker(name), name), 'done');
    assert.equal(await other.evaluate(() => broker.statistics().retainedMessages), 1);
  });

  /** The session waits for its client. */
  async function goOffline(device) {
    device.disconnect();
    await tab.page.waitForFunction(() => broker.statistics().clientsConnected === 1);
  }

  async function nothingIsLeft() {
    await tab.page.waitForFunction(() => broker.statistics().messagesStored === 0);
  }
});

/** A whole number below `limit`: xorshift. */
function random(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
