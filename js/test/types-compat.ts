// What an application in TypeScript that was written for MQTT.js may say. Checked by `npm run lint`, never run.

import mqtt, {
  type Bytes,
  connect,
  type IClientOptions,
  type IClientPublishOptions,
  type IClientSubscribeOptions,
  type IConnackPacket,
  type IPublishPacket,
  type ISubscriptionGrant,
  type ISubscriptionMap,
  MqttClient,
  type OnMessageCallback,
  type Packet,
} from '../src/entry/compat.js';
import * as names from '../src/entry/compat.js';

const options: IClientOptions = {
  clientId: `app_${Math.random().toString(16).slice(2)}`,
  clean: true,
  protocolVersion: 5,
  username: 'user',
  password: 'password',
  reconnectPeriod: 1000,
  connectTimeout: 30 * 1000,
  rejectUnauthorized: true,
  will: { topic: 'status', payload: 'gone', qos: 1, retain: true, properties: { willDelayInterval: 5 } },
  properties: { sessionExpiryInterval: 60, userProperties: { one: '1', more: ['2', '3'] } },
  transformWsUrl: (url, { clientId }, client) => `${url}?client=${clientId ?? ''}&again=${client.reconnecting}`,
};

/** A class around a client, as many applications have one. */
export class Service {
  private client: MqttClient | null = null;
  private readonly handlers = new Map<string, OnMessageCallback>();

  start(url: string, more?: Partial<IClientOptions>): mqtt.MqttClient {
    const client: mqtt.MqttClient = mqtt.connect(url, { ...options, ...more });
    client
      .on('connect', (packet: IConnackPacket) => console.log(packet.sessionPresent, packet.properties?.maximumQoS))
      .on('error', (error: Error) => console.error(error.message))
      .on('close', () => console.log('closed', client.connected))
      .once('end', () => (this.client = null));
    client.on('message', (topic, payload, packet) => {
      const value: unknown = JSON.parse(payload.toString());
      console.log(topic, value, payload.byteLength, packet.retain, packet.properties?.correlationData?.toString('hex'));
      this.handlers.get(topic)?.(topic, payload, packet);
    });
    client.on('packetreceive', ({ cmd, text }) => cmd === 'pingresp' && console.log(text));
    client.on('disconnect', ({ reasonCode }) => console.log(reasonCode));
    this.client = client;
    return client;
  }

  async watch(topic: string | string[], handler: OnMessageCallback): Promise<ISubscriptionGrant[]> {
    const subscribe: IClientSubscribeOptions = { qos: 1, nl: true, rh: 1 };
    const granted = await this.client?.subscribeAsync(topic, subscribe);
    for (const { topic: name, qos } of granted ?? []) if (qos !== 128) this.handlers.set(name, handler);
    return granted ?? [];
  }

  send(topic: string, value: object | Uint8Array): Promise<Packet | undefined> | undefined {
    const publish: IClientPublishOptions = { qos: 1, properties: { contentType: 'application/json', correlationData: new Uint8Array(4) } };
    return this.client?.publishAsync(topic, value instanceof Uint8Array ? value : JSON.stringify(value), publish);
  }

  stop(): void {
    this.client?.unsubscribe([...this.handlers.keys()], (error, packet) => console.log(error, packet?.cmd));
    this.client?.end(false, { reasonCode: 4 }, () => console.log('ended'));
  }
}

export async function everything(handler: (topic: string, payload: Uint8Array, packet: IPublishPacket) => void): Promise<void> {
  const map: ISubscriptionMap = { a: { qos: 0 }, b: { qos: 2, rap: true } };
  const client = connect('wss://example.org/mqtt', options);
  client.on('message', handler);
  client.subscribe(map, (error, granted, packet) => console.log(error?.message, granted?.[0]?.qos, packet?.granted));
  client.subscribe('a', { qos: 1 }).publish('a', 'text').publish('a', new Uint8Array(1), { retain: true }, (error) => console.log(error));
  client.removeListener('message', handler).removeAllListeners();
  const other: names.MqttClient = await names.connectAsync({ host: 'example.org', protocol: 'wss', port: 443 });
  console.log(other instanceof mqtt.MqttClient, other instanceof mqtt.Client, other.keepalive, other.serverProperties?.serverKeepAlive);
  const bytes: Bytes | undefined = undefined;
  console.log(bytes, client.options.clientId satisfies string | undefined, client.getLastMessageId());
  await other.endAsync(true);
  // @ts-expect-error there is no QoS 3
  client.publish('a', 'b', { qos: 3 });
  // @ts-expect-error a certificate is for the platform to check
  connect('wss://example.org', { ca: 'x' });
}
