// The package's public names.

export { Broker } from './broker.js';
export { Client, connect } from './client.js';
export { MqttError, type MqttErrorCode } from './error.js';
export type { Message, MessageProperties, Payload, PublishOptions, QoS, UserProperty } from './message.js';
export type {
  AuthenticationRequest,
  BrokerEvent,
  BrokerLimits,
  BrokerOptions,
  BrokerStatistics,
  ConnectOptions,
  ConnectProperties,
  DisconnectOptions,
  Grant,
  ProtocolVersion,
  Refusal,
  ServerProperties,
  SubscribeOptions,
  Verdict,
  WasmSource,
  WillOptions,
} from './options.js';
export type { Answer, Closed } from './outcome.js';
export type { BrokerStorage, StorageChange, StoredRecord } from './storage.js';
export { type IndexedDbOptions, indexedDb } from './storages/indexed-db.js';
export type { MessageHandler, Subscription } from './subscription.js';
export type { Clock, Timer } from './timer.js';
export type { Connectable, MessagePortLike, Transport, WebSocketLike } from './transport.js';
export type { BrokerWebSocket } from './web-socket.js';
