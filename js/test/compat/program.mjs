// What the applications share: they tell what they see, a line of JSON each, and ask the test to do something to the server.
// Nothing here knows which library is under test.

export const url = process.argv[2];

/** Tells something. */
export function tell(what, ...values) {
  console.log(JSON.stringify([what, ...values.map(plain)]));
}

/** Tells of every event of a client, and what the client says of itself then. */
export function watch(client, name = 'client', note = tell) {
  for (const event of ['connect', 'reconnect', 'close', 'offline', 'end', 'disconnect', 'error', 'message']) {
    client.on(event, (...values) => {
      note(`${name} ${event}`, ...values, { connected: client.connected, reconnecting: client.reconnecting });
    });
  }
  return client;
}

/** A callback that tells its arguments. */
export function told(what) {
  return (...values) => tell(what, ...values);
}

/** What a promise comes to. */
export async function outcome(what, promise) {
  await promise.then((value) => tell(what, 'resolved', value), (error) => tell(what, 'rejected', error));
}

/** Resolves with the next event's values. */
export function next(client, event) {
  return new Promise((resolve) => client.once(event, (...values) => resolve(values)));
}

/** Resolves with the messages' texts when there have been as many. */
export function messages(client, count) {
  const texts = [];
  return new Promise((resolve) => {
    const take = (_topic, payload) => {
      texts.push(payload.toString());
      if (texts.length < count) return;
      client.off('message', take);
      resolve(texts);
    };
    client.on('message', take);
  });
}

/** Has the test do something to the server, or publish. */
export async function ask(what, body = {}) {
  const response = await fetch(`${url.replace('ws:', 'http:')}${what}`, { method: 'POST', body: JSON.stringify(body) });
  return response.json();
}

/** Resolves when nothing more is under way: a server that answers has had its turn before and after the pause. */
export async function settled(milliseconds = 60) {
  await ask('nothing');
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  await ask('nothing');
}

/** What JSON can say: bytes as their text, errors by what a program can ask of them, no Packet Identifiers. */
function plain(value) {
  if (value === undefined) return 'undefined';
  if (value instanceof Error) return { error: typeof value.code === 'number' ? value.code : 'without a Reason Code' };
  if (value instanceof Uint8Array) return { bytes: value.toString() };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name, member]) => member !== undefined && !OWN_TO_A_LIBRARY.has(name));
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Packet Identifiers, and the size of the packet that they were in. */
const OWN_TO_A_LIBRARY = new Set(['messageId', 'length']);
