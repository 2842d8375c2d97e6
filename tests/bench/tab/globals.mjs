// What aedes takes for granted and browsers do not have.

export { Buffer } from 'buffer';

const tasks = [];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => {
  for (const task of tasks.splice(0)) task();
};

/** As in Node: all that are there in one turn. */
export function setImmediate(task, ...values) {
  if (tasks.push(() => task(...values)) === 1) port2.postMessage(0);
}

export const process = { env: {}, version: '', nextTick: (task, ...values) => queueMicrotask(() => task(...values)) };
