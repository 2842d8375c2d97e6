// `mqlite`: for those who connect. The WebAssembly is inside.

import type { Client, Server } from '../client.js';
import { connectWith } from '../connect.js';
import type { ConnectOptions } from '../options.js';
import { supply } from './inlined/client.js';

export * from '../index.js';

/**
 * Connects to a server: at a `ws:` or `wss:` address, or at the other end of a WebSocket, MessagePort or any other transport.
 * @throws MqttError `unreachable`, `refused`, `closed` when the server did not answer, `invalid-options`, or `unsupported`.
 */
export function connect(server: Server, options: ConnectOptions = {}): Promise<Client> {
  return connectWith(supply, server, options);
}
