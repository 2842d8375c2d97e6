// What runs in the tab: MQTT.js against a broker in the same page, and a client against one in a Web Worker.
import { Broker, connect } from 'mqlite/broker';
import mqtt from 'mqtt';
import { scenarios } from '../scenarios.mjs';

globalThis.names = scenarios.map(({ name }) => name);

globalThis.runScenario = async (number) => {
  const broker = await Broker.open();
  const createWebsocket = () => broker.webSocket();
  try {
    await scenarios[number].run((options) => mqtt.connect('ws://in-this-page', { createWebsocket, ...options }));
  } finally {
    broker.close();
  }
};

globalThis.crossWorker = async (text) => {
  const worker = new Worker('worker.js', { type: 'module' });
  const open = () => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage(port1, [port1]);
    return connect(port2);
  };
  const [publisher, subscriber] = [await open(), await open()];
  const subscription = await subscriber.subscribe('a/+', { qos: 2 });
  await publisher.publish('a/b', text, { qos: 2 });
  for await (const message of subscription) {
    await publisher.end();
    worker.terminate();
    return message.text();
  }
};

/** The codes of a client's error and of the WebSocket's end, when a server answers over the browser's own WebSocket. */
globalThis.connectTo = async (url) => {
  const socket = new WebSocket(url, 'mqtt');
  const closed = new Promise((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
  const refused = await connect(socket).then(() => undefined, ({ code }) => code);
  return [refused, await closed];
};
