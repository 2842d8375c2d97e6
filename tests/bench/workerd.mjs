// One room in workerd beside Durable Objects that do a part of its work: an echo, a commit a message, a bare fan-out.

import { fileURLToPath } from 'node:url';
import { LOAD_CORE, start } from './processes.mjs';
import { startWorkerd } from './workerd/server.mjs';

export const title = 'A room in workerd';

const LOAD = fileURLToPath(new URL('workerd/load.mjs', import.meta.url));

/** Seconds of a measurement. */
const SECONDS = 2;
const QUICK_SECONDS = 1;

const room = (what) => contestant({ port: 'broker', path: '/mqtt/bench', isMqtt: true, ...what });
const object = (kind, what) => contestant({ port: 'objects', path: `/${kind}/bench`, isMqtt: false, ...what });

/** Clients that send to themselves. With `isJoined` all packets that a client has to send at a time are one WebSocket message. */
const loop = (payload, qos = 0, more = {}) => ({ kind: 'loops', connections: 50, window: 10, payload, qos, ...more });
const durable = { expiry: 3_600 };
const fan = (connections, window) => ({ kind: 'fan', connections, window, payload: 64 });
const storm = { kind: 'storm', concurrency: 20 };

export const scenarios = [
  ...[16, 64].map((payload) => ({
    name: `50_50_qos0_p${payload}`,
    text: 'workerd: 50 clients, window 10, QoS 0',
    summary: payload === 16,
    contestants: {
      mqlite: room(loop(payload, 0, { isJoined: true })),
      'mqlite, a packet a frame': room(loop(payload)),
      'echo object': object('Echo', loop(payload)),
    },
    goals: [{ against: 'echo object', ratio: 2 }],
  })),
  ...[16, 64].map((payload) => ({
    name: `50_50_qos1_p${payload}_durable`,
    text: 'workerd: the same at QoS 1, durable',
    summary: payload === 16,
    contestants: {
      mqlite: room(loop(payload, 1, { isJoined: true, ...durable })),
      'mqlite, a packet a frame': room(loop(payload, 1, durable)),
      'commit a message': object('Commit', loop(payload)),
      'echo object': object('Echo', loop(payload)),
    },
    goals: [
      { against: 'commit a message', ratio: 6 },
      { against: 'echo object', ratio: 0.8 },
    ],
  })),
  ...[100, 5_000].flatMap((connections) =>
    [10, 1].map((window) => ({
      name: `1_${connections}_qos0_p64_w${window}`,
      text: `workerd: 1 to ${connections}, ${window === 1 ? 'one message' : `${window} messages`} under way`,
      summary: true,
      unit: 'deliveries/s',
      contestants: { mqlite: room(fan(connections, window)), 'bare fan-out': object('Fan', fan(connections, window)) },
      goals: [{ against: 'bare fan-out', ratio: 0.8 }],
    })),
  ),
  {
    name: 'cold_start',
    text: 'workerd: a new room answers CONNECT',
    summary: true,
    figure: 'millis',
    unit: 'ms',
    better: 'less',
    contestants: { mqlite: cold('room'), 'echo object': cold('echo'), 'object with a table': cold('commit') },
    goals: [{ figure: 'over', most: 10 }],
  },
  {
    name: 'connect_storm',
    text: 'workerd: clients that come and go',
    unit: 'clients/s',
    contestants: { mqlite: room(storm), 'echo object': object('Echo', storm) },
  },
];

/** What is measured in a new workerd each time. */
function contestant({ port, ...what }) {
  return async ({ quick = false } = {}) => {
    const workerd = await startWorkerd();
    try {
      return await load(workerd.server, { ...what, port: workerd.ports[port], seconds: quick ? QUICK_SECONDS : SECONDS });
    } finally {
      await workerd.stop();
    }
  };
}

/** New objects of each kind take turns; `over` is by how much a room takes longer than an echo. */
function cold(whose) {
  return async ({ quick = false } = {}) => {
    const workerd = await startWorkerd();
    const { broker, objects } = workerd.ports;
    const kinds = {
      room: { port: broker, path: '/mqtt/cold', isMqtt: true },
      echo: { port: objects, path: '/Echo/cold' },
      commit: { port: objects, path: '/Commit/cold' },
    };
    try {
      const { millis, peakBytes } = await load(workerd.server, { kind: 'cold', kinds, times: quick ? 10 : 30 });
      return { millis: millis[whose], ...(whose === 'room' && { over: millis.room - millis.echo, peakBytes }) };
    } finally {
      await workerd.stop();
    }
  };
}

async function load(server, order) {
  let figures;
  const seconds = {};
  const onLine = (line) => {
    if (line.startsWith('{')) figures = JSON.parse(line);
    else if (line === 'begin' || line === 'end') seconds[line] = server.cpuSeconds();
    else console.warn(line);
  };
  const child = await start(process.execPath, [LOAD, JSON.stringify(order)], { core: LOAD_CORE, onLine });
  await child.ended;
  if (!figures) throw new Error(`the load ended without a word: ${child.lines.slice(-3).join(' / ')}`);
  const { count, elapsed, ...rest } = figures;
  const used = seconds.end - seconds.begin;
  return { ...rest, ...(count && { cpuMicros: (used / count) * 1e6, core: used / elapsed }), peakBytes: server.memory().peak };
}
