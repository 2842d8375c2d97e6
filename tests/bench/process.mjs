// Scenarios within one Node process: MQlite, aedes and mqtt5-wasm, raw bytes in to raw bytes out. Each measurement is a process of
// its own, so that nobody runs on what V8 has made of another's code.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { answerProcess, askProcess } from './processes.mjs';
import * as brokers from './within/brokers.mjs';
import { idle, run } from './within/closed-loop.mjs';

export const title = 'In one Node process';

export function prepare() {
  execFileSync(inFolder('mqtt5-wasm/build.sh'), { stdio: 'inherit' });
}

/** The names of their functions. */
const CONTESTANTS = { mqlite: 'mqlite', aedes: 'aedes', 'mqtt5-wasm': 'mqtt5Wasm', 'mqlite over MessagePort': 'mqlitePort' };

export const scenarios = [
  load({ qos: 0, bytes: 16 }, 64, {
    text: 'in one Node process, one to one, QoS 0, 16 bytes',
    goals: [{ least: 1_000_000 }, { against: 'aedes', ratio: 10 }, { against: 'mqtt5-wasm', ratio: 20 }],
  }),
  load({ subscribers: 1_000, qos: 0, bytes: 16 }, 1, {
    text: 'in one Node process, one to 1,000, QoS 0, 16 bytes',
    goals: [{ least: 3_000_000 }],
  }),
  ...[0, 1, 2].flatMap((qos) => [16, 256, 8_192].map((bytes) => load({ qos, bytes }, 64))).slice(1),
  ...[0, 1, 2].map((qos) => load({ qos, bytes: 16 }, 1)),
  load({ subscribers: 1_000, qos: 0, bytes: 16 }, 64),
  load({ subscribers: 1_000, qos: 1, bytes: 16 }, 1),
  ...[0, 1].flatMap((qos) => [64, 1].map((chunk) => load({ publishers: 100, subscribers: 100, qos, bytes: 16 }, chunk))),
  {
    name: 'idle_10000',
    text: 'an idle connection in WebAssembly, 10,000 of them',
    summary: true,
    figure: 'bytesEach',
    unit: 'bytes each',
    better: 'less',
    contestants: contestants({ connections: 10_000, memory: 'wasm' }, ['mqlite']),
    goals: [{ most: 2_048 }],
  },
  {
    name: 'idle_process_10000',
    figure: 'bytesEach',
    unit: 'bytes each',
    better: 'less',
    contestants: contestants({ connections: 10_000, memory: 'process' }, ['mqlite', 'aedes']),
  },
];

function load({ publishers = 1, subscribers = 1, qos, bytes }, chunk, { text, goals } = {}) {
  return {
    name: `${publishers}_${subscribers}_qos${qos}_p${bytes}_by_${chunk}`,
    text,
    summary: text !== undefined,
    unit: 'deliveries/s',
    contestants: contestants({ publishers, subscribers, qos, bytes, chunk }),
    goals,
  };
}

function contestants(task, names = Object.keys(CONTESTANTS)) {
  const measure = (broker) => ({ quick }) => askProcess(import.meta.url, { ...task, broker, seconds: quick ? 0.3 : 0.8 });
  return Object.fromEntries(names.map((name) => [name, measure(CONTESTANTS[name])]));
}

async function measure({ broker, connections, memory, ...task }) {
  const connect = await brokers[broker]();
  if (connections) return measureIdle(connect, connections, memory);
  const before = process.cpuUsage();
  const { rate, deliveries } = await run(connect, task);
  const { user, system } = process.cpuUsage(before);
  return { rate, cpuMicros: (user + system) / deliveries, peakBytes: process.resourceUsage().maxRSS * 1_024 };
}

/** Bytes a connection, of the WebAssembly's memory or of the process. */
async function measureIdle(connect, connections, memory) {
  await idle(connect, 1, 100);
  const bytes = () => {
    gc();
    return memory === 'wasm' ? brokers.memories[0].buffer.byteLength : process.memoryUsage().rss;
  };
  const before = bytes();
  await idle(connect, 101, 100 + connections);
  return { bytesEach: (bytes() - before) / connections };
}

function inFolder(path) {
  return fileURLToPath(new URL(path, import.meta.url));
}

await answerProcess(import.meta.url, measure);
