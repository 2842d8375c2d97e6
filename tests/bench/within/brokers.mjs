// The brokers that run within a program, Node's or a page's, each by the shortest way in: functions that open one and give `connect(hear, whole)`, which
// resolves with a function that sends. `hear` gets bytes; `whole` asks for those of one turn in one piece.

import { Line } from './line.mjs';

/** MQlite by a transport: an object with `send` and `onmessage`. */
export async function mqlite() {
  const accept = await openMqlite();
  return (hear) => {
    const transport = { send: hear, close() {}, onmessage: null, onclose: null };
    accept(transport);
    const message = { data: undefined };
    return (bytes) => {
      message.data = bytes;
      transport.onmessage(message);
    };
  };
}

/** MQlite by a MessagePort, as a page or a Worker reaches it. */
export async function mqlitePort() {
  const accept = await openMqlite();
  return (hear) => {
    const { port1, port2 } = new MessageChannel();
    accept(port1);
    return overPort(port2, hear, (bytes) => bytes);
  };
}

/** The WebAssembly's memory, once a broker was opened. */
export const memories = [];

async function openMqlite() {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (...given) {
    const instance = new Instance(...given);
    memories.push(instance.exports.memory);
    return instance;
  };
  const { Broker } = await import('../../../js/dist/broker.js');
  const broker = await Broker.open(UNHURRIED);
  WebAssembly.Instance = Instance;
  return (transport) => broker.accept(transport);
}

/** aedes by a stream. Its pieces of packets are not joined unless somebody has to look at them: that is faster. */
export async function aedes() {
  const { Aedes } = await import('aedes');
  const broker = await Aedes.createBroker({ concurrency: 1_000 });
  return (hear, whole) => {
    const line = new Line(hear, whole);
    broker.handle(line);
    return (bytes) => line.push(bytes);
  };
}

/** mqtt5-wasm by a MessagePort: the only way that it has. */
export async function mqtt5Wasm() {
  const glue = await loadMqtt5Wasm();
  const config = new glue.BrokerConfig();
  config.allowAnonymous = true;
  config.maxClients = 100_000;
  const broker = glue.Broker.withConfig(config);
  return (hear) => overPort(broker.createClientPort(), hear, (bytes) => bytes.buffer);
}

async function loadMqtt5Wasm() {
  if (typeof document === 'undefined') {
    const { createRequire } = await import('node:module');
    return createRequire(import.meta.url)('../../../target/bench/mqtt5-wasm/node/broker.js');
  }
  const address = '/mqtt5-wasm/broker.js';
  const glue = await import(address);
  await glue.default();
  return glue;
}

/** `toMessage` makes of bytes what the broker understands. */
function overPort(port, hear, toMessage) {
  port.onmessage = ({ data }) => hear(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
  return (bytes) => port.postMessage(toMessage(bytes));
}

/** The peers limit no rates, unless they are told to. */
const UNHURRIED = {
  publishMessagesPerSecond: 4_294_967_295,
  publishBytesPerSecond: 4_294_967_295,
  maximumConnections: 20_000,
  maximumSessions: 20_000,
};
