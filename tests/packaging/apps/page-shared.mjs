import { connect } from 'mqlite';
import { exchange } from './exchange.mjs';

const workers = {
  serving: () => new SharedWorker(new URL('./shared-worker.mjs', import.meta.url), { type: 'module' }).port,
  failing: () => new SharedWorker(new URL('./failing-worker.mjs', import.meta.url), { type: 'module' }).port,
};

/** What the tests do in this page. */
globalThis.inPage = {
  connect: (name, options) => connect(workers[name], options),
  exchange,
  async take(subscription, count) {
    const texts = [];
    for await (const message of subscription) if (texts.push(`${message.topic} ${message.text()}`) === count) return texts;
  },
};
