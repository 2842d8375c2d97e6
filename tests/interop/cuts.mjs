// QoS 2 across forced disconnects: what one client publishes, another hears once and in order, wherever their connections are cut.
import { WebSocket } from 'ws';
import { connect } from '../../js/dist/index.js';
import { startProxy } from './proxy.mjs';

/** Messages that are published and not yet heard: within what any server keeps for a client that is away. */
const WINDOW = 400;
/** A cut comes within so many bytes. */
const REACH = 4_000;

/**
 * Publishes `messages` through a server on that port, and cuts `cuts` connections at moments that `seed` chooses. Resolves with
 * what was lost, duplicated or out of order, and with how often the clients came back.
 */
export async function run({ port, messages, cuts, seed, protocolVersion }) {
  const random = generator(seed);
  const proxies = await Promise.all([startProxy(port), startProxy(port)]);
  const [publisher, subscriber] = await Promise.all(
    proxies.map((proxy, index) =>
      connect(() => new WebSocket(`ws://127.0.0.1:${proxy.port}/mqtt`, 'mqtt'), {
        clientId: `cuts-${seed}-${protocolVersion}-${index}`,
        protocolVersion,
        cleanStart: protocolVersion === 5, // 3.1.1 has no other way to ask that the session be kept
        reconnect: { minimumDelayMillis: 2, maximumDelayMillis: 20 },
      }),
    ),
  );
  const arrivals = new Map();
  let heard = 0;
  let outOfOrder = 0;
  let last = -1;
  let wake = () => {};
  let arrived = () => {};
  const topic = `cuts/${seed}/${protocolVersion}`;
  await subscriber.subscribe(topic, { qos: 2 }, (message) => {
    if (message.text() === 'end') return arrived();
    const number = Number(message.text());
    arrivals.set(number, (arrivals.get(number) ?? 0) + 1);
    if (number < last) outOfOrder += 1;
    last = number;
    heard += 1;
    wake();
  });

  /** When the next one is to be, in messages heard. */
  const moments = Array.from({ length: cuts }, () => Math.floor(random() * messages * 0.8)).sort((one, other) => one - other);
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const cutting = (async () => {
    for (const moment of moments) {
      while (heard < moment) await new Promise((resolve) => (wake = joined(wake, resolve)));
      const proxy = proxies[random() < 0.5 ? 0 : 1];
      const cut = proxy.cutAfter(random() < 0.5 ? 'up' : 'down', 1 + Math.floor(random() * REACH));
      const isCut = await Promise.race([cut.then(() => true), finished]);
      // Nothing passes any more that could be counted: it is cut as soon as there is a connection.
      while (!isCut && proxy.cut() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const refused = [];
  const published = [];
  for (let number = 0; number < messages; number += 1) {
    while (number - heard >= WINDOW) await new Promise((resolve) => (wake = joined(wake, resolve)));
    published.push(publisher.publish(topic, `${number}`, { qos: 2 }).catch((error) => refused.push(`${number}: ${error.message}`)));
  }
  await Promise.all(published);
  while (arrivals.size < messages && subscriber.status !== 'ended') await new Promise((resolve) => (wake = joined(wake, resolve)));
  finish();
  await cutting;
  // Whatever were to come twice comes before this.
  const end = new Promise((resolve) => (arrived = resolve));
  await Promise.all([publisher.publish(topic, 'end', { qos: 2 }), end]);
  await Promise.all([publisher.end(), subscriber.end()]);
  const done = proxies.reduce((sum, proxy) => sum + proxy.cuts, 0);
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  return { heard, lost: messages - arrivals.size, duplicated: heard - arrivals.size, outOfOrder, cuts: done, refused };
}

function joined(one, other) {
  return () => {
    one();
    other();
  };
}

/** Numbers from 0 to less than 1, the same for the same seed. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
