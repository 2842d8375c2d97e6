// Brokers as processes, over TCP and WebSocket: each on one core, the load on the other.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AUTOSAVE, AUTOSAVE_ON_CHANGES, MOSQUITTO, withBroker } from './native/brokers.mjs';
import { LOAD_CORE, start } from './processes.mjs';

const built = fileURLToPath(new URL('../../target/bench/', import.meta.url));

export const title = 'Brokers as processes, one core each';

/** The versions of those that ours is measured beside. */
export function about() {
  const [, mosquitto] = spawnSync(MOSQUITTO, ['-h'], { encoding: 'utf8' }).stdout.match(/version (\S+)/);
  const [, rumqttd] = readFileSync(new URL('rumqttd/Cargo.toml', import.meta.url), 'utf8').match(/rumqttd = "=(.+)"/);
  const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
  return `mosquitto ${mosquitto}, rumqttd ${rumqttd}, aedes ${devDependencies.aedes}`;
}

/** Builds the load, and rumqttd. */
export function prepare() {
  for (const crate of ['load', 'rumqttd']) {
    const manifest = fileURLToPath(new URL(`${crate}/Cargo.toml`, import.meta.url));
    console.log(`building ${crate}, if it is not built yet`);
    const options = ['--quiet', '--release', '--locked', '--manifest-path', manifest, '--target-dir', `${built}${crate}`];
    execFileSync('cargo', ['build', ...options], { stdio: 'inherit' });
  }
}

const PEERS = ['mqlite', 'mosquitto', 'rumqttd', 'aedes'];
const AHEAD = [
  { against: 'mosquitto', ratio: 2 },
  ...['rumqttd', 'aedes'].flatMap((against) => [
    { against, ratio: 1 },
    { against, ratio: 1, figure: 'p99', better: 'less' },
  ]),
];
/** Deliveries a second that each of them can do, by QoS: for latency at the same rate. */
const SAME = [10_000, 10_000, 5_000];

const BYTES = { figure: 'bytesEach', unit: 'bytes', better: 'less', summary: true };

export const scenarios = [
  flow('1_1_qos0_p16', 'pairs', { publishers: 1, window: 5000 }, { summary: true, text: 'one to one, QoS 0' }),
  flow('1_1_qos0_p256', 'pairs', { publishers: 1, window: 5000, payload: 256 }),
  flow('1_1_qos0_p8192', 'pairs', { publishers: 1, window: 100, payload: 8192 }),
  flow('1_1_qos1_p16', 'pairs', { publishers: 1, window: 500, qos: 1 }, { summary: true, text: 'one to one, QoS 1' }),
  flow('1_1_qos1_p256', 'pairs', { publishers: 1, window: 500, qos: 1, payload: 256 }),
  flow('1_1_qos1_p8192', 'pairs', { publishers: 1, window: 100, qos: 1, payload: 8192 }),
  flow('1_1_qos2_p16', 'pairs', { publishers: 1, window: 500, qos: 2 }, { summary: true, text: 'one to one, QoS 2' }),
  flow('100_100_qos0_p16', 'pairs', { publishers: 100, window: 20 }, { summary: true, text: '100 pairs, QoS 0' }),
  flow('100_100_qos1_p16', 'pairs', { publishers: 100, window: 20, qos: 1 }, { summary: true, text: '100 pairs, QoS 1' }),
  flow('100_100_qos2_p16', 'pairs', { publishers: 100, window: 20, qos: 2 }, { summary: true, text: '100 pairs, QoS 2' }),
  flow('1000_1000_qos0_p16', 'pairs', { publishers: 1000, window: 5 }, { summary: true, text: '1,000 pairs, QoS 0' }),
  flow('1000_1000_qos1_p16', 'pairs', { publishers: 1000, window: 5, qos: 1 }),
  flow('1000_1000_qos2_p16', 'pairs', { publishers: 1000, window: 5, qos: 2 }),
  flow('1_1000_qos0_p16', 'all', { publishers: 1, subscribers: 1000, window: 20, rate: SAME[0] / 1000 }, { summary: true, text: 'one to 1,000, QoS 0' }),
  flow('1_1000_qos1_p16', 'all', { publishers: 1, subscribers: 1000, window: 20, qos: 1, rate: SAME[0] / 1000 }),
  // The same rate for all is 200 messages a second of each publisher here: a million deliveries.
  flow('10_500_qos0_p16', 'all', { publishers: 10, subscribers: 500, window: 4, rate: 2000 }, { summary: true, text: 'ten to 500, QoS 0' }),
  flow('200_5_qos0_p16_share', 'share', { publishers: 200, subscribers: 5, window: 10, version: 5 }, { peers: ['mqlite', 'mosquitto', 'rumqttd'] }),
  flow(
    '200_5_qos1_p16_share',
    'share',
    { publishers: 200, subscribers: 5, window: 10, version: 5, qos: 1 },
    { peers: ['mqlite', 'mosquitto', 'rumqttd'], summary: true, text: '200 to a group of five, QoS 1' },
  ),
  flow('10_100_qos0_p16_routing', 'routing', { publishers: 10, subscribers: 100, window: 100, count: 100_000 }, { summary: true, text: '100,000 filters' }),
  flow('1_1_qos0_p16_ws', 'pairs', { publishers: 1, window: 5000 }, { web: true }),
  flow('100_100_qos1_p16_ws', 'pairs', { publishers: 100, window: 20, qos: 1 }, { web: true, summary: true, text: '100 pairs over WebSocket, QoS 1' }),
  scenario(
    '1_1_qos0_p256_retained',
    { mode: 'retained', count: 100_000, payload: 256, window: 100 },
    { summary: true, text: 'subscribe to 100,000 retained' },
  ),
  scenario(
    'connect_10000',
    { mode: 'connect', count: 10_000, window: 100 },
    { unit: 'connections/s', summary: true, text: '10,000 clients connect' },
  ),
  scenario('idle_10000', { mode: 'idle', count: 10_000, window: 100 }, { ...BYTES, goals: [{ most: 4096 }], text: 'each of 10,000 idle connections' }),
  scenario('idle_10000_subscribed', { mode: 'idle', count: 10_000, window: 100, filters: 1 }, { ...BYTES, text: 'the same with a subscription' }),
  ...[1, 2].flatMap((qos) => [
    stored(`1_1_qos${qos}_p256_stored`, { publishers: 1, window: 500, qos, payload: 256 }),
    stored(`100_100_qos${qos}_p256_stored`, { publishers: 100, window: 20, qos, payload: 256 }),
  ]),
];

function flow(name, mode, options, { peers = PEERS, ...more } = {}) {
  const goals = AHEAD.filter(({ against }) => peers.includes(against));
  return scenario(name, { mode, rate: SAME[options.qos ?? 0], ...options }, { goals, peers, ...more });
}

function scenario(name, options, { peers = PEERS, web, ...more } = {}) {
  const contestants = Object.fromEntries(peers.map((peer) => [peer, (round) => measure(peer, options, round, { web })]));
  return { name, contestants, ...more };
}

/** With storage on, to sessions that outlive their connections. What each guarantees is in README.md. */
function stored(name, options) {
  const flow = { mode: 'pairs', persistent: true, rate: SAME[options.qos], ...options };
  return {
    name,
    contestants: {
      'mqlite, durable': (round) => measure('mqlite', flow, round, { stored: true }),
      'mosquitto, saves every 30 min': (round) => measure('mosquitto', flow, round, { stored: AUTOSAVE }),
      'mosquitto, saves on changes': (round) => measure('mosquitto', flow, round, { stored: AUTOSAVE_ON_CHANGES }),
    },
  };
}

/** One measurement of a broker that was started for it. */
async function measure(broker, { mode, ...options }, { quick }, { web = false, stored } = {}) {
  return withBroker(broker, { web, stored, version: options.version }, async ({ port, pid }) => {
    const times = quick ? { 'warm-up': 0.3, measure: 0.5, pace: 0.3 } : {};
    const args = Object.entries({ ...times, ...options, address: `127.0.0.1:${port}`, process: pid, ...(web && { ws: true }) });
    const flags = args.flatMap(([key, value]) => (value === true ? [`--${key}`] : [`--${key}`, `${value}`]));
    const { match, ended } = await start(`${built}load/release/mqlite-load`, [mode, ...flags], { core: LOAD_CORE, ready: /^\{.*\}$/ });
    await ended;
    return JSON.parse(match[0]);
  });
}
