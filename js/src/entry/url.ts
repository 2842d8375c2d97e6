// `mqlite/url`: the WebAssembly is a file beside this one, and is fetched when it is needed.

import type { Source } from '../artefact.js';
import { Broker as Base } from '../broker.js';
import type { Client } from '../client.js';
import { connectWith } from '../connect.js';
import { MqttError } from '../error.js';
import { client } from '../glue/client.js';
import type { ConnectOptions, WasmSource } from '../options.js';
import type { Server } from '../server.js';

export * from '../index-broker.js';

/** An MQTT broker that lives in this program. It keeps its state in memory and, where it is given one, in a storage. */
export class Broker extends Base {
  /** @internal */
  protected static override source(): ReturnType<Source> {
    return download(new URL('./broker.wasm', import.meta.url));
  }
}

/** `connect` of `mqlite`, whose WebAssembly is fetched. */
export function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  return connectWith({ artefact: client, source: () => download(new URL('./client.wasm', import.meta.url)) }, server, options);
}

async function download(address: URL): Promise<WasmSource> {
  const response = await fetch(address).catch((cause: unknown) => {
    throw missing(address, cause);
  });
  if (!response.ok) throw missing(address, `${response.status} ${response.statusText}`);
  // Servers that do not know the type do not let it be compiled while it comes.
  return response.headers.get('Content-Type') === 'application/wasm' ? response : response.arrayBuffer();
}

function missing(address: URL, cause: unknown): MqttError {
  return new MqttError('unsupported', `There is no WebAssembly at ${address}.`, {
    cause,
    hint: 'Your bundler has not copied it: import from mqlite or mqlite/broker, which have it inside, or name it with the option "wasm".',
  });
}
