// A broker with a storage in IndexedDB, whose clients are in the test: what they say and hear is written as hexadecimal digits.
import { Broker, indexedDb } from 'mqlite/broker';

const transports = new Map();

/** Opens the broker, as all its pages do. */
globalThis.openBroker = (database, options = {}, storage = {}) =>
  told(async () => {
    const onEvent = ({ type, error, reason }) => {
      if (type === 'storageFailed' || type === 'recordRejected') events.push(error?.code ?? reason);
    };
    globalThis.broker = await Broker.open({ storage: indexedDb(database, storage), onEvent, ...options });
  });

globalThis.told = async (call) => {
  try {
    return (await call()) ?? 'done';
  } catch ({ code, message, hint }) {
    return { code, message, hint };
  }
};

/** Publishes, from a client in this page, a retained message of so many bytes that cannot be compressed. */
globalThis.publish = (topic, length) =>
  told(async () => {
    // No session: a full storage would have no room for what the next broker has to say of it.
    const client = await broker.connect({ properties: { sessionExpiryInterval: 0 } });
    const payload = new Uint8Array(length);
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(payload.subarray(at, at + 65_536));
    await client.publish(topic, payload, { qos: 1, retain: true });
  });

/** What went wrong with the storage. */
globalThis.events = [];

/** Connects client number `id` of the test, which hears by `heard`. */
globalThis.join = (id) => {
  const transport = {
    onmessage: null,
    onclose: null,
    send: (bytes) => void heard(id, hex(bytes)),
    close: () => void heard(id, null),
  };
  broker.accept(transport);
  transports.set(id, transport);
};

/** `then` is what befalls the page in the same task: nothing, or a reload. */
globalThis.say = (id, text, then) => {
  transports.get(id).onmessage({ data: bytes(text) });
  if (then === 'reload') location.reload();
};

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));

globalThis.isReady = true;
