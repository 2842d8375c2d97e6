// A client in a page that is hidden, and how late that page's own timers are.
import { connect } from 'mqlite/broker';

globalThis.statuses = [];

/** Connects with a Keep Alive of two seconds; `policy` is what the page forbids itself before. */
globalThis.connectTo = async (url, policy) => {
  if (policy) {
    const meta = document.createElement('meta');
    meta.httpEquiv = 'Content-Security-Policy';
    meta.content = policy;
    document.head.append(meta);
  }
  const client = await connect(url, { keepAlive: 2, reconnect: false });
  client.on('status', (status) => statuses.push(status));
};

/** How long a timer of a tenth of a second has not come, in milliseconds. */
globalThis.pause = () => performance.now() - last;
let last = performance.now();
setInterval(() => (last = performance.now()), 100);

globalThis.isReady = true;
