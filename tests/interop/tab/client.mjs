// Clients in a page, against a server of the test.
import { connect, indexedDb } from 'mqlite/broker';

/** A client whose outbox is in IndexedDB, and how many changes are durable. */
globalThis.open = (url, database) =>
  told(async () => {
    const inner = indexedDb(database);
    const storage = {
      load: () => inner.load(),
      commit: async (changes) => {
        await inner.commit(changes);
        durable += changes.length;
      },
      close: () => inner.close(),
    };
    const reconnect = { minimumDelayMillis: 10, maximumDelayMillis: 50 };
    globalThis.client = await connect(url, { clientId: 'page', waitForConnection: false, outbox: { storage }, reconnect });
  });

globalThis.durable = 0;

/** Publishes messages with these texts, whatever becomes of them. */
globalThis.publish = (texts, qos) => {
  for (const text of texts) client.publish('a', text, { qos }).catch(() => {});
};

/** Connects, and says what came of it; `policy` is what the page forbids itself before. */
globalThis.attempt = (url, policy) => {
  if (policy) {
    const meta = document.createElement('meta');
    meta.httpEquiv = 'Content-Security-Policy';
    meta.content = policy;
    document.head.append(meta);
  }
  return told(async () => {
    const made = await connect(url, { responseTimeoutMillis: 3_000 });
    await made.end();
  });
};

async function told(call) {
  try {
    return (await call()) ?? 'done';
  } catch ({ code, message, hint }) {
    return { code, message, hint };
  }
}

globalThis.isReady = true;
