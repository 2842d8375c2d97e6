// Makes clients: from a server to a connection, from a connection to a client.

import { type Artefact, named, type Source } from './artefact.js';
import { checked } from './check.js';
import { Client, type Server } from './client.js';
import { MqttError } from './error.js';
import type { ClientGlue } from './glue/client.js';
import { Link } from './link.js';
import type { ConnectOptions } from './options.js';
import { CONNECT_OPTIONS } from './shapes.js';
import { toTransport, type Transport } from './transport.js';

/** What a client is made of: an artefact, and where its WebAssembly comes from unless the option `wasm` names another source. */
export interface Supply {
  artefact: Artefact<ClientGlue>;
  source: Source;
}

/** What each entry of the package offers as `connect`, with a supply of its own. */
export async function connectWith(supply: Supply, server: Server, options: ConnectOptions = {}): Promise<Client> {
  if (typeof server === 'string' || server instanceof URL) return connectOver(supply, () => openWebSocket(server), options);
  const transport = toTransport(server); // at once: it may fail while the WebAssembly is loaded
  return connectOver(supply, () => transport, options);
}

/** Connects over what `open` opens, once it is clear that the options are good. */
export async function connectOver({ artefact, source }: Supply, open: () => Transport, options: ConnectOptions): Promise<Client> {
  const known = checked(options, CONNECT_OPTIONS);
  await artefact.load(named(known.wasm, source));
  const link = artefact.refusing(() => new Link(artefact, known));
  return new Client(link, await link.open(open()));
}

function openWebSocket(address: string | URL): Transport {
  if (typeof WebSocket !== 'function') {
    throw new MqttError('unsupported', 'This platform has no WebSocket of its own.', {
      hint: "Pass one instead of an address: new WebSocket(address, 'mqtt') with the WebSocket of the npm package ws.",
    });
  }
  try {
    return toTransport(new WebSocket(address, 'mqtt'));
  } catch (cause) {
    throw new MqttError('invalid-options', 'This is no address of a WebSocket.', {
      cause,
      hint: 'It begins with ws:// or wss://, and usually ends in /mqtt.',
    });
  }
}
