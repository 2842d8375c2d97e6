// The Worker with a heart that beats a hundred times as fast.

const { setInterval } = globalThis;
globalThis.setInterval = (task, millis) => setInterval(task, millis / 100);

export * from './index.js';
export { default } from './index.js';
