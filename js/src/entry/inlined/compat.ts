// The names of `mqlite/compat`, over `mqlite`.

import { MqttClient } from '../../compat/client.js';
import { compatOver, type ConnectCompat, type ConnectCompatAsync } from '../../compat/connect.js';
import { connect as open } from '../index.js';

export * from '../../compat/index.js';
export { MqttClient as Client, MqttClient };

const compat = compatOver(open);

/**
 * Makes a client, which connects in the background and tells by its events how that goes.
 * @throws MqttError `invalid-options` for an address or an option that is not covered.
 */
export const connect: ConnectCompat = compat.connect;

/**
 * Makes a client. Resolves when it has connected, rejects with its first error.
 * @throws MqttError `invalid-options` for an address or an option that is not covered.
 */
export const connectAsync: ConnectCompatAsync = compat.connectAsync;
