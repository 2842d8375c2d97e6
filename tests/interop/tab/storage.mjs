// Storages in IndexedDB, as the tests drive them: bytes are written as hexadecimal digits, keys may stand for many.
import { Broker, indexedDb } from 'mqlite/broker';

const storages = new Map();

/** Names a storage for the calls below. */
globalThis.make = (name, database, options) => void storages.set(name, indexedDb(database, options));

/** Every record, as `key value` in the order in which they came. */
globalThis.load = (name) =>
  told(async () => {
    const records = await storages.get(name).load();
    return [...records].map(({ key, value }) => `${hex(key)} ${hex(value)}`);
  });

/** Commits `[key, value]` pairs; a value of null removes. */
globalThis.commit = (name, changes) =>
  told(() => storages.get(name).commit(changes.map(([key, value]) => ({ key: bytes(key), value: value === null ? undefined : bytes(value) }))));

/** Commits one record with so many bytes that cannot be compressed. */
globalThis.commitLarge = (name, key, length) => told(() => storages.get(name).commit([{ key: bytes(key), value: noise(length) }]));

globalThis.close = (name) => told(() => storages.get(name).close());

/** Opens a database as other code would, and does not close it for anybody. */
globalThis.openRaw = (database, version) =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(database, version);
    request.onsuccess = () => {
      raw.push(request.result);
      resolve();
    };
    request.onerror = () => reject(request.error);
  });

globalThis.closeRaw = () => raw.splice(0).forEach((database) => database.close());

/** Deletes a database as other code would: whether that had to wait, and whether it was done. */
globalThis.deleteRaw = (database) => {
  const heard = [];
  const request = indexedDB.deleteDatabase(database);
  const blocked = new Promise((resolve) => (request.onblocked = () => resolve(heard.push('blocked'))));
  const deleted = new Promise((resolve) => (request.onsuccess = () => resolve(heard.push('deleted'))));
  return Promise.race([blocked, deleted]).then(() => heard);
};

/** What becomes of a promise, or what its error says. */
async function told(call) {
  try {
    return (await call()) ?? 'done';
  } catch ({ name, code, message, hint }) {
    return { name, code, message, hint };
  }
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));

function noise(length) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

const raw = [];
globalThis.mqlite = { Broker, indexedDb };
globalThis.isReady = true;
