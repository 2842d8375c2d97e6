// `connect` and `connectAsync` as MQTT.js has them, for an entry's own client.

import { MqttError } from '../error.js';
import { withAddress } from './address.js';
import { MqttClient } from './client.js';
import type { Connect } from './connection.js';
import type { IClientOptions } from './types.js';

/** How a client is made. */
export interface ConnectCompat {
  (url: string | URL, options?: IClientOptions): MqttClient;
  (options: IClientOptions): MqttClient;
}

export interface ConnectCompatAsync {
  (url: string | URL, options?: IClientOptions, allowRetries?: boolean): Promise<MqttClient>;
  (options: IClientOptions): Promise<MqttClient>;
}

/** Both, over the `connect` of this package that is given. */
export function compatOver(open: Connect): { connect: ConnectCompat; connectAsync: ConnectCompatAsync } {
  const connect: ConnectCompat = (address: string | URL | IClientOptions, options?: IClientOptions) =>
    new MqttClient(open, withAddress(address, options));
  const connectAsync: ConnectCompatAsync = (
    address: string | URL | IClientOptions,
    options?: IClientOptions,
    allowRetries = true,
  ) =>
    new Promise((resolve, reject) => {
      const client = connect(address as string, options);
      const done = () => {
        client.off('connect', connected).off('end', connected).off('error', failed).off('close', closed);
      };
      const connected = () => {
        done();
        resolve(client);
      };
      const failed = (error: Error) => {
        done();
        client.on('error', () => {}); // whoever called hears of the first
        client.end(true);
        reject(error);
      };
      const closed = () => failed(new MqttError('unreachable', 'There is no connection.'));
      client.on('connect', connected).on('end', connected).on('error', failed);
      if (!allowRetries) client.on('close', closed);
    });
  return { connect, connectAsync };
}
