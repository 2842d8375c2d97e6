// `mqlite/slim`: without WebAssembly, which comes with the option `wasm`.

import { unnamed } from '../artefact.js';
import type { Client } from '../client.js';
import { connectWith } from '../connect.js';
import { client } from '../glue/client.js';
import type { ConnectOptions } from '../options.js';
import type { Server } from '../server.js';

export { Broker } from '../broker.js';
export * from '../index-broker.js';

/** `connect` of `mqlite`, whose WebAssembly is the option `wasm`. */
export function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  return connectWith({ artefact: client, source: unnamed }, server, options);
}
