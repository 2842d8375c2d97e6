// The public names for those who have a broker, but for `connect` and `Broker` themselves: see index.ts.

export * from './index.js';
export type {
  Caller,
  ClientDetails,
  DisconnectOptions,
  HostPublishOptions,
  MoveOptions,
  Page,
  PageOptions,
  RetainedMessage,
  RetainedOptions,
} from './inquiry.js';
export type {
  AuthenticationRequest,
  BrokerEvent,
  BrokerLimits,
  BrokerOptions,
  BrokerStatistics,
  Grant,
  Refusal,
  TracedPacket,
  TraceOptions,
  Verdict,
} from './options.js';
export type { Publisher, PublishRule, ReviewDecision, ReviewedMessage } from './rules.js';
export type { BrokerWebSocket } from './web-socket.js';
