// Makes clients: from a server and options to a client that is connected, or is about to be.

import { type Artefact, named, type Source, unnamed } from './artefact.js';
import { checked } from './check.js';
import { Client } from './client.js';
import { MqttError, report } from './error.js';
import type { ClientGlue, Records } from './glue/client.js';
import { Journal } from './journal.js';
import { Link } from './link.js';
import type { ConnectOptions } from './options.js';
import { isConnection, type Server } from './server.js';
import { CONNECT_OPTIONS, RECONNECT } from './shapes.js';
import type { RecordStorage } from './storage.js';
import { toTransport } from './transport.js';

/** What a client is made of: an artefact, and where its WebAssembly comes from unless the option `wasm` names another source. */
export interface Supply {
  artefact: Artefact<ClientGlue>;
  source: Source;
}

/** The broker's artefact is loaded: its engine is that of all clients from now on, whichever entry they are of. */
export function share(artefact: Artefact<ClientGlue>): void {
  shared = { artefact, source: unnamed };
}

/** What each entry of the package offers as `connect`, with a supply of its own. */
export async function connectWith(
  supply: Supply,
  server: Server,
  options: ConnectOptions = {},
  random = Math.random,
): Promise<Client> {
  const { artefact, source } = shared ?? supply;
  const known = checked(options, CONNECT_OPTIONS);
  check(server, known);
  const given = isConnection(server) ? toTransport(server) : server; // at once: it may fail while the WebAssembly is loaded
  await artefact.load(named(known.wasm, source));
  const link = known.outbox?.storage
    ? await restored(artefact, given, known, random, known.outbox.storage)
    : make(artefact, given, known, random);
  const client = new Client(link);
  await link.open();
  return client;
}

function make(
  artefact: Artefact<ClientGlue>,
  server: Server,
  options: ConnectOptions,
  random: () => number,
  journal?: Journal,
  records?: Records,
): Link {
  return artefact.refusing(() => new Link(artefact, server, options, random, journal, records));
}

/** A link that goes on with what the storage has. */
async function restored(
  artefact: Artefact<ClientGlue>,
  server: Server,
  options: ConnectOptions,
  random: () => number,
  storage: RecordStorage,
): Promise<Link> {
  const journal = new Journal(storage);
  try {
    const stored = await journal.load();
    const records = new artefact.glue.Records();
    for (const { key, value } of stored) records.push(key, value);
    return make(artefact, server, options, random, journal, records);
  } catch (error) {
    await journal.close().catch(report);
    throw error;
  }
}

/** What no single option says. */
function check(server: Server | null | undefined, { reconnect, credentials, userName, password }: ConnectOptions): void {
  if (server === undefined || server === null) {
    throw new MqttError('invalid-options', `There is nothing to connect to: the first argument is ${server}.`, {
      hint: 'Pass the address of a WebSocket, such as wss://example.org/mqtt, a connection, a broker, or a function that makes one of these.',
    });
  }
  if (reconnect !== undefined && reconnect !== false) {
    checked(reconnect, RECONNECT);
    if (isConnection(server)) {
      throw new MqttError('invalid-options', 'The option "reconnect" counts for nothing over a single connection.', {
        hint: 'Pass a function that makes one for each attempt.',
      });
    }
  }
  if (credentials && (userName !== undefined || password !== undefined)) {
    throw new MqttError('invalid-options', 'The options "userName" and "password" count for nothing beside "credentials".');
  }
}

let shared: Supply | undefined;
