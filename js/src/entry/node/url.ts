// `mqlite/url` in Node, whose `fetch` reads no files.

import { readFile } from 'node:fs/promises';
import type { Source } from '../../artefact.js';
import { Broker as Base } from '../../broker.js';
import type { Client } from '../../client.js';
import { connectWith } from '../../connect.js';
import { client } from '../../glue/client.js';
import type { ConnectOptions } from '../../options.js';
import type { Server } from '../../server.js';

export * from '../../index-broker.js';

/** An MQTT broker that lives in this program. It keeps its state in memory and, where it is given one, in a storage. */
export class Broker extends Base {
  /** @internal */
  protected static override source(): ReturnType<Source> {
    return readFile(new URL('../broker.wasm', import.meta.url));
  }
}

/** `connect` of `mqlite`, whose WebAssembly is read. */
export function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  return connectWith({ artefact: client, source: () => readFile(new URL('../client.wasm', import.meta.url)) }, server, options);
}
