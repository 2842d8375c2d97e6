// `mqlite/broker` in Cloudflare Workers and their like.

import type { Source } from '../../artefact.js';
import { Broker as Base } from '../../broker.js';
import type { Client } from '../../client.js';
import { connectWith } from '../../connect.js';
import type { ConnectOptions } from '../../options.js';
import type { Server } from '../../server.js';
import { supply } from '../deployed/broker.js';

export * from '../../index-broker.js';

/** An MQTT broker that lives in this program. It keeps its state in memory and, where it is given one, in a storage. */
export class Broker extends Base {
  /** @internal */
  protected static override source(): ReturnType<Source> {
    return supply.source();
  }
}

/** `connect` of `mqlite`, with the WebAssembly that the broker has too. */
export function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  return connectWith(supply, server, options);
}
