// The wasm build as a host for the scripts: each line of standard input is a JSON request, each line of standard output its reply.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { BrokerEngine, initSync } from '../../../js/wasm/broker.js';

initSync({ module: readFileSync(new URL('../../../js/wasm/broker_bg.wasm', import.meta.url)) });

const SEED = new Uint8Array(32).fill(7);

let engine;
let outputs = [];

const host = {
  send(writes, bytes) {
    for (let index = 0, at = 0; index < writes.length; index += 2) {
      const end = at + writes[index + 1];
      outputs.push({ connection: writes[index], sent: bytes.slice(at, end) });
      at = end;
    }
  },
  close: (connection) => outputs.push({ connection, closed: true }),
  authenticate: (connection, request) => outputs.push({ connection, asked: request }),
  report: (event) => outputs.push({ event }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { config, policy, now, input, about } = parse(line);
  if (config) {
    engine?.free();
    engine = new BrokerEngine(host, config, { ...policy, reports: true }, SEED);
  } else if (input === 'publish') {
    const { topic, payload, qos, retain, properties } = about[0];
    engine.publish(now, topic, payload, qos, retain, properties);
  } else {
    engine[input](now, ...about);
  }
  while (engine.deadline() <= now) engine.timeout(now);
  process.stdout.write(`${stringify({ outputs, statistics: engine.statistics(), deadline: engine.deadline() })}\n`);
  outputs = [];
}

function parse(text) {
  return JSON.parse(text, (_, value) => (typeof value?.hex === 'string' ? Uint8Array.from(Buffer.from(value.hex, 'hex')) : value));
}

function stringify(value) {
  return JSON.stringify(value, (_, value) => (value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value));
}
