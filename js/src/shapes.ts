// The members of every object that can be said, for `checked`. The compiler holds them to the types.

import type { ShapeOf } from './check.js';
import type { Caller, DisconnectOptions, HostPublishOptions, MoveOptions, PageOptions, RetainedOptions } from './inquiry.js';
import type { MessageProperties, PublishOptions, RequestLimits } from './message.js';
import type {
  BrokerOptions,
  ConnectOptions,
  ConnectProperties,
  Credentials,
  EndOptions,
  Grant,
  SubscribeOptions,
  Verdict,
  WillOptions,
} from './options.js';
import type { QuestionOptions } from './questions.js';
import type { PublishRule, ReviewDecision } from './rules.js';
import type { ReconnectOptions } from './status.js';

const GRANT: ShapeOf<Grant> = {
  filter: 'text',
  publish: 'boolean',
  subscribe: 'boolean',
  maximumQos: 'number',
  retain: 'boolean',
};

const CALLER: ShapeOf<Caller> = { grants: [GRANT], userName: 'text' };

export const PAGE_OPTIONS: ShapeOf<PageOptions> = { limit: 'number', after: 'text' };

export const RETAINED_OPTIONS: ShapeOf<RetainedOptions> = { ...PAGE_OPTIONS, ...CALLER };

export const MOVE_OPTIONS: ShapeOf<MoveOptions> = { permanent: 'boolean' };

export const DISCONNECT_OPTIONS: ShapeOf<DisconnectOptions> = { reason: 'byte', endSession: 'boolean' };

const MESSAGE_PROPERTIES: ShapeOf<MessageProperties> = {
  payloadFormatIndicator: 'boolean',
  messageExpiryInterval: 'number',
  responseTopic: 'text',
  correlationData: 'bytes',
  contentType: 'text',
  userProperties: ['pair'],
};

export const PUBLISH_OPTIONS: ShapeOf<PublishOptions> = { qos: 'number', retain: 'boolean', properties: MESSAGE_PROPERTIES };

export const HOST_PUBLISH_OPTIONS: ShapeOf<HostPublishOptions> = { ...PUBLISH_OPTIONS, ...CALLER };

export const REQUEST_LIMITS: ShapeOf<RequestLimits> = { signal: 'signal', timeout: 'milliseconds' };

const { responseTopic: _, correlationData: __, ...QUESTION_PROPERTIES } = MESSAGE_PROPERTIES;

export const QUESTION_OPTIONS: ShapeOf<QuestionOptions> = { qos: 'number', properties: QUESTION_PROPERTIES, ...REQUEST_LIMITS };

export const CLIENT_PUBLISH_OPTIONS: ShapeOf<PublishOptions & RequestLimits> = { ...PUBLISH_OPTIONS, ...REQUEST_LIMITS };

export const SUBSCRIBE_OPTIONS: ShapeOf<SubscribeOptions> = {
  qos: 'number',
  noLocal: 'boolean',
  retainAsPublished: 'boolean',
  retainHandling: 'text',
  userProperties: ['pair'],
  identifier: 'number',
  manualAck: 'boolean',
  ...REQUEST_LIMITS,
};

export const CREDENTIALS: ShapeOf<Credentials> = { userName: 'text', password: 'secret' };

export const RECONNECT: ShapeOf<ReconnectOptions> = {
  minimumDelayMillis: 'milliseconds',
  maximumDelayMillis: 'milliseconds',
  maximumAttempts: 'number',
};

export const END_OPTIONS: ShapeOf<EndOptions> = { reason: 'byte', sessionExpiryInterval: 'number' };

const WILL: ShapeOf<WillOptions> = {
  topic: 'text',
  payload: 'payload',
  qos: 'number',
  retain: 'boolean',
  properties: { ...MESSAGE_PROPERTIES, willDelayInterval: 'number' },
};

const CONNECT_PROPERTIES: ShapeOf<ConnectProperties> = {
  sessionExpiryInterval: 'number',
  receiveMaximum: 'number',
  maximumPacketSize: 'number',
  topicAliasMaximum: 'number',
  requestResponseInformation: 'boolean',
  requestProblemInformation: 'boolean',
  userProperties: ['pair'],
};

export const CONNECT_OPTIONS: ShapeOf<ConnectOptions> = {
  clientId: 'text',
  protocolVersion: 'number',
  cleanStart: 'boolean',
  keepAlive: 'number',
  userName: 'text',
  password: 'secret',
  credentials: 'function',
  waitForConnection: 'boolean',
  reconnect: 'any',
  redirect: 'choice',
  will: WILL,
  properties: CONNECT_PROPERTIES,
  authentication: 'authentication',
  onMessage: 'function',
  manualAck: 'boolean',
  outbox: { maximumMessages: 'number', maximumBytes: 'number', policy: 'text', storage: 'storage' },
  assignedTopicAliases: 'number',
  responseTimeoutMillis: 'number',
  clock: 'function',
  timer: 'timer',
  wasm: 'any',
};

/** What the verdict of each type may say. */
export const VERDICTS: { readonly [type in Verdict['type']]: ShapeOf<Extract<Verdict, { type: type }>> } = {
  allow: { type: 'text', grants: [GRANT], data: 'bytes', userName: 'text', expiresAt: 'number' },
  deny: { type: 'text', reason: 'byte', message: 'text' },
  continue: { type: 'text', data: 'bytes' },
  redirect: { type: 'text', server: 'text', permanent: 'boolean' },
};

const RULE: ShapeOf<Extract<PublishRule, { action: 'rewrite' }>> = { filter: 'text', action: 'text', topic: 'text' };

/** What the decision of each type may say. */
export const DECISIONS: { readonly [type in ReviewDecision['type']]: ShapeOf<Extract<ReviewDecision, { type: type }>> } = {
  accept: { type: 'text' },
  rewrite: { type: 'text', topic: 'text', payload: 'payload' },
  drop: { type: 'text' },
  refuse: { type: 'text', reason: 'byte' },
};

export const BROKER_OPTIONS: ShapeOf<BrokerOptions> = {
  maximumConnections: 'number',
  maximumConnectionsPerUser: 'number',
  maximumSessionsPerUser: 'number',
  maximumSessions: 'number',
  connectTimeoutMillis: 'number',
  maximumPacketSize: 'number',
  maximumConnectSize: 'number',
  publishMessagesPerSecond: 'number',
  publishBytesPerSecond: 'number',
  requestsPerSecond: 'number',
  receiveMaximum: 'number',
  topicAliasMaximum: 'number',
  assignedTopicAliases: 'number',
  maximumQos: 'number',
  retainAvailable: 'boolean',
  wildcardSubscriptionAvailable: 'boolean',
  subscriptionIdentifiersAvailable: 'boolean',
  sharedSubscriptionAvailable: 'boolean',
  serverKeepAliveSeconds: 'number',
  maximumSessionExpirySeconds: 'number',
  maximumSubscriptions: 'number',
  maximumSubscriptionBytes: 'number',
  maximumTopicLevels: 'number',
  maximumInFlight: 'number',
  maximumQueuedMessages: 'number',
  maximumQueuedBytes: 'number',
  sendBuffer: 'number',
  maximumRetainedMessages: 'number',
  maximumRetainedBytes: 'number',
  maximumMessageBytes: 'number',
  maximumDelayedMessages: 'number',
  maximumDelayedMessagesPerUser: 'number',
  maximumDelaySeconds: 'number',
  maximumKeptRecords: 'number',
  maximumKeptBytes: 'number',
  sysIntervalSeconds: 'number',
  responseInformation: 'text',
  rules: [RULE],
  review: 'function',
  reviewTimeoutMillis: 'number',
  reviewFallback: 'text',
  grants: [GRANT],
  authenticate: 'function',
  storage: 'storage',
  storageFallback: 'text',
  resume: ['transport'],
  onEvent: 'function',
  clock: 'function',
  timer: 'timer',
  wasm: 'any',
};
