// `mqlite`: for those who connect. The WebAssembly is inside.

import type { Client } from '../client.js';
import { connectWith } from '../connect.js';
import type { ConnectOptions } from '../options.js';
import type { Server } from '../server.js';
import { supply } from './inlined/client.js';

export * from '../index.js';

/**
 * Connects to a server: at a `ws:` or `wss:` address, at the other end of a WebSocket, MessagePort or any other transport, or
 * to a broker in this program. A function is asked for one of these at each attempt.
 * @throws MqttError `unreachable`, `refused`, `closed` when the server did not answer, `offline`, `invalid-options`, or `unsupported`.
 */
export function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  return connectWith(supply, server, options);
}
