// What must compile for those who use the client with TypeScript. Checked by `npm run lint`, never run.

import { type Acceptor, Broker, connect, scramSha256 } from '../src/entry/broker.js';
import {
  type Answer,
  type Authentication,
  type Clock,
  type Client,
  type ClientStatus,
  type Closed,
  type ConnectOptions,
  type Credentials,
  type EndOptions,
  indexedDb,
  type IndexedDbOptions,
  type Message,
  type MessageHandler,
  MqttError,
  type MqttErrorCode,
  type OutboxOptions,
  type PacketEvent,
  type Payload,
  type QoS,
  type QuestionOptions,
  type ReconnectOptions,
  type RecordStorage,
  type Redirect,
  type RequestLimits,
  type Server,
  type ServerProperties,
  type StatusChange,
  type StorageChange,
  type StoredRecord,
  type SubscribeOptions,
  type Subscription,
  type Timer,
  type Transport,
} from '../src/index.js';

export function servers(socket: WebSocket, port: MessagePort, transport: Transport, broker: Broker, acceptor: Acceptor): Server[] {
  const asked: Server = async () => new URL('wss://example.org/mqtt');
  const nested: Server = () => () => broker;
  return ['wss://example.org/mqtt', new URL('wss://example.org'), socket, port, transport, broker, acceptor, asked, nested];
}

export class Shelf implements RecordStorage {
  readonly maximumValueBytes = 1 << 20;
  readonly #records: StoredRecord[] = [];

  load(): Iterable<StoredRecord> {
    return this.#records;
  }

  async commit(changes: readonly StorageChange[]): Promise<void> {
    for (const { key, value } of changes) if (value) this.#records.push({ key, value });
  }
}

export const authentication: Authentication = {
  method: 'SCRAM-SHA-1',
  begin: () => new Uint8Array(),
  respond: async (challenge) => challenge,
  finish: (data) => void data?.length,
};

export const said: ConnectOptions = {
  clientId: 'gauge',
  cleanStart: false,
  keepAlive: 60,
  credentials: async (): Promise<Credentials> => ({ userName: 'a', password: new Uint8Array() }),
  waitForConnection: false,
  reconnect: { minimumDelayMillis: 100, maximumDelayMillis: 5_000, maximumAttempts: 10 } satisfies ReconnectOptions,
  redirect: ((reference, from) => (from ? new URL(reference, from) : undefined)) satisfies Redirect,
  will: { topic: 'gone', payload: { at: 1 }, qos: 1, properties: { willDelayInterval: 5 } },
  properties: { sessionExpiryInterval: 3_600, requestResponseInformation: true },
  outbox: {
    maximumMessages: 10,
    maximumBytes: 1_000,
    policy: 'drop-oldest',
    storage: indexedDb('outbox', { durability: 'relaxed', wait: false } satisfies IndexedDbOptions),
  } satisfies OutboxOptions,
  authentication: scramSha256({ userName: 'a', password: 'b' }),
  onMessage: (message) => message.ack(),
  clock: (() => 0) satisfies Clock,
  timer: { set: () => {}, clear: () => {} } satisfies Timer,
};

export async function everything(signal: AbortSignal): Promise<Closed> {
  await using client = await connect('wss://example.org/mqtt', { reconnect: false, outbox: { storage: new Shelf() } });
  const { clientId, status, server, sessionPresent } = client satisfies Client;
  console.log(clientId.length, status satisfies ClientStatus, (server satisfies ServerProperties).serverKeepAlive, sessionPresent);

  const payloads: Payload[] = ['x', 1, true, null, { a: [1] }, [1], new Date(), new ArrayBuffer(1), new DataView(new ArrayBuffer(1))];
  for (const payload of payloads) {
    const answer: Answer = await client.publish('a', payload, { qos: 1, retain: true, signal, timeout: 1_000 });
    console.log(answer.reason, answer.reasonString);
  }
  const limits: RequestLimits = { signal, timeout: 1_000 };
  const options: SubscribeOptions = { ...limits, qos: 2, noLocal: true, retainHandling: 'doNotSend', identifier: 7, manualAck: true };
  await using subscription = await client.subscribe(['a', 'b/#'], options);
  const { filters, granted, qos, dropped } = subscription satisfies Subscription;
  console.log(filters.join(), granted satisfies readonly QoS[], qos satisfies QoS, dropped);
  for await (const message of subscription satisfies AsyncIterable<Message>) {
    console.log(message.topic, message.payload.length, message.bytes.length, message.text(), message.json(), message.retain, message.dup);
    console.log(message.properties.subscriptionIdentifiers, message.properties.userProperties);
    message.ack();
  }
  const handler: MessageHandler = async (message) => console.log(message.text());
  await client.subscribe('a', handler);
  await client.subscribe('a', { qos: 1 }, handler);
  await client.unsubscribe(['a', 'b/#'], limits);

  const question: QuestionOptions = { ...limits, qos: 1, properties: { contentType: 'text/plain' } };
  console.log((await client.request('q', { a: 1 }, question)).text());

  const away: (() => void)[] = [
    client.on('status', (now: ClientStatus, change: StatusChange) => console.log(now, change.error?.hint, change.nextAttemptAt)),
    client.on('message', (message) => console.log(message.topic)),
    client.on('packet', (packet: PacketEvent) => console.log(packet)),
    client.on('error', (error: MqttError) => console.log(error.code satisfies MqttErrorCode)),
  ];
  for (const off of away) off();
  client.reconnect();
  await client.reauthenticate();
  await client.end({ reason: 4, sessionExpiryInterval: 0 } satisfies EndOptions);

  const broker = await Broker.open({ storage: new Shelf(), storageFallback: 'memory', resume: [] });
  await (await connect(broker)).end();
  return client.ended;
}

export async function mistakes(client: Client): Promise<void> {
  // @ts-expect-error there is no such status
  if (client.status === 'offline') return;
  // @ts-expect-error undefined is no payload
  await client.publish('a', undefined);
  // @ts-expect-error the client itself says where to answer to
  await client.request('a', 'b', { properties: { responseTopic: 'c' } });
  // @ts-expect-error there is no such event
  client.on('connect', () => {});
  // @ts-expect-error a storage has to load too
  await connect('wss://example.org', { outbox: { storage: { commit: () => {} } } });
  // @ts-expect-error there is no such policy
  await connect('wss://example.org', { outbox: { policy: 'drop' } });
}
