// The public names for those who connect, but for `connect` itself: each entry gives that a WebAssembly of its own.

export type { Authentication } from './authentication.js';
export { Client } from './client.js';
export { MqttError, type MqttErrorCode, type MqttErrorDetails } from './error.js';
export type { ClientEvents, StatusChange } from './events.js';
export type { Message, MessageProperties, Payload, PublishOptions, QoS, ReceivedProperties, RequestLimits, UserProperty } from './message.js';
export type {
  ConnectOptions,
  ConnectProperties,
  Credentials,
  EndOptions,
  OutboxOptions,
  ProtocolVersion,
  ServerProperties,
  SubscribeOptions,
  WasmSource,
  WillOptions,
} from './options.js';
export type { Answer, Closed } from './outcome.js';
export type { RecordStorage, StorageChange, StoredRecord } from './storage.js';
export { type IndexedDbOptions, indexedDb } from './storages/indexed-db.js';
export type { PacketType } from './packets.js';
export type { QuestionOptions } from './questions.js';
export type { Redirect } from './redirect.js';
export { type ScramOptions, scramSha256 } from './scram.js';
export type { Acceptor, Server } from './server.js';
export type { ClientStatus, ReconnectOptions } from './status.js';
export type { MessageHandler, Subscription } from './subscription.js';
export type { PacketEvent } from './tap.js';
export type { Clock, Timer } from './timer.js';
export type { Connectable, MessagePortLike, Transport, WebSocketLike } from './transport.js';
