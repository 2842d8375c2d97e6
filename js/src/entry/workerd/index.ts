// `mqlite` in Cloudflare Workers and their like.

import type { Client } from '../../client.js';
import { connectWith } from '../../connect.js';
import type { ConnectOptions } from '../../options.js';
import type { Server } from '../../server.js';
import { supply } from '../deployed/client.js';

export * from '../../index.js';

/** `connect` of `mqlite`, here. */
export function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  return connectWith(supply, server, options);
}
