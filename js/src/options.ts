// What a broker and a client can be told, and a check that nothing else is said.

import type { Authentication } from './authentication.js';
import type { MqttError } from './error.js';
import type { Message, MessageProperties, Payload, QoS, RequestLimits, UserProperty } from './message.js';
import type { RecordStorage } from './storage.js';
import type { Redirect } from './redirect.js';
import type { Publisher, PublishRule, ReviewDecision, ReviewedMessage } from './rules.js';
import type { ReconnectOptions } from './status.js';
import type { Clock, Timer } from './timer.js';
import type { Connectable, Transport } from './transport.js';

/** Where the package's WebAssembly comes from: compiled, as bytes, or as the answer to a request. */
export type WasmSource = WebAssembly.Module | ArrayBuffer | Uint8Array<ArrayBuffer> | Response;

/** 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type ProtocolVersion = 4 | 5;

/** What one client may do with the topics that a filter matches. */
export interface Grant {
  /** A Topic Filter in which `%c` stands for the Client Identifier and `%u` for the user name. */
  filter: string;
  /** Whether messages may be published there. Default true. */
  publish?: boolean;
  /** Whether filters that lie within this one may be subscribed to. Default true. */
  subscribe?: boolean;
  /** The highest QoS to publish with and to be granted. Default 2. */
  maximumQos?: QoS;
  /** Whether messages may be retained. Default true. */
  retain?: boolean;
}

/** What a client says of itself when it connects. */
export interface AuthenticationRequest {
  /** Where in the exchange this is: CONNECT, or an AUTH that goes on or begins anew. */
  step: 'connect' | 'continue' | 'reAuthenticate';
  /** The assigned one if the client named none. */
  clientId: string;
  /** With `reAuthenticate` the one that the client was let in with. */
  userName?: string;
  password?: Uint8Array;
  /** The Authentication Method, for enhanced authentication. */
  method?: string;
  data?: Uint8Array;
}

/** Whether a client is let in. */
export type Verdict =
  /**
   * With these rights; all where there are none. `userName` is who it is, as you have found out, whatever it said of itself:
   * for `%u`, for the limits of a user, and for the session, which is that user's: another one is refused with 0x85 while it
   * lasts, until `Broker.disconnect` ends it. The default is what it said. At
   * `expiresAt`, in milliseconds since 1970, it is closed with 0x87 unless it has authenticated again; by default never.
   */
  | { type: 'allow'; grants?: Grant[]; data?: Uint8Array; userName?: string; expiresAt?: number }
  /**
   * `reason` is a Reason Code from 0x80, such as 0x86 Bad User Name or Password or 0x87 Not authorized. `message` is a Reason
   * String for the client: it must not help an attacker.
   */
  | { type: 'deny'; reason: number; message?: string }
  /** Enhanced authentication goes on with this challenge. */
  | { type: 'continue'; data?: Uint8Array }
  /** The client is to use another server. */
  | { type: 'redirect'; server: string; permanent?: boolean };

/** The limits of a broker. All are finite unless you say otherwise; sizes are bytes. */
export interface BrokerLimits {
  /** Connections at a time; one more is closed at once. Default 10,000. */
  maximumConnections?: number;
  /**
   * Connections of one user at a time, where `authenticate` says who a client is; one more is refused with 0x97 Quota exceeded.
   * Clients without a user name are no user. Default 2,000.
   */
  maximumConnectionsPerUser?: number;
  /** Sessions, connected or not; one more is refused with 0x97 Quota exceeded. Default 20,000. */
  maximumSessions?: number;
  /** Sessions of one user, connected or not, counted and refused as `maximumConnectionsPerUser` are. Default 4,000. */
  maximumSessionsPerUser?: number;
  /** Milliseconds that a connection may be open without a CONNECT. Default 10,000. */
  connectTimeoutMillis?: number;
  /** The largest packet. Default 1,048,576. */
  maximumPacketSize?: number;
  /** What a client may send before it is let in, its CONNECT first; at most `maximumPacketSize`. Default 131,072. */
  maximumConnectSize?: number;
  /**
   * Messages that one connection may publish a second, on average; a second's worth may come at once. Then reading pauses, and
   * what comes regardless closes the connection with 0x96. Default 100,000.
   */
  publishMessagesPerSecond?: number;
  /** Bytes that one connection may publish a second, likewise. Default 134,217,728. */
  publishBytesPerSecond?: number;
  /**
   * What one connection may ask for a second, likewise: pings, authentications, each filter to subscribe to or unsubscribe
   * from, and small pieces of packets. Ten seconds' worth may come at once. Default 1,000.
   */
  requestsPerSecond?: number;
  /** QoS 1 and 2 messages that an MQTT 5 client may have unacknowledged. Default 256. */
  receiveMaximum?: number;
  /** Topic Aliases that a client may set. Their topics may take 131,072 bytes, and with `resume` 16,384. Default 64. */
  topicAliasMaximum?: number;
  /** Topic Aliases that the broker sets for a client that allows them. Default 64. */
  assignedTopicAliases?: number;
  /** The highest QoS of messages from clients. Default 2. */
  maximumQos?: QoS;
  /** Whether retained messages are kept. Default true. */
  retainAvailable?: boolean;
  /** Whether filters may hold wildcards. Default true. */
  wildcardSubscriptionAvailable?: boolean;
  /** Whether subscriptions may have identifiers. Default true. */
  subscriptionIdentifiersAvailable?: boolean;
  /** Whether `$share` filters are allowed. Default true. */
  sharedSubscriptionAvailable?: boolean;
  /** Seconds of Keep Alive imposed on MQTT 5 clients; 0 switches it off for them. Default their own. */
  serverKeepAliveSeconds?: number;
  /** The longest Session Expiry Interval; 4,294,967,295 is no limit. Default 604,800, a week. */
  maximumSessionExpirySeconds?: number;
  /** Subscriptions of one session. Default 1,000. */
  maximumSubscriptions?: number;
  /** Bytes that the subscriptions of all sessions take; one beyond is refused with 0x97 Quota exceeded. Default 67,108,864. */
  maximumSubscriptionBytes?: number;
  /** Levels of a topic or filter, at most 256. Default 128. */
  maximumTopicLevels?: number;
  /** QoS 1 and 2 messages in flight to one client. Default 256. */
  maximumInFlight?: number;
  /** Messages that wait for one session; more are dropped and counted. Default 1,000. */
  maximumQueuedMessages?: number;
  /** Bytes that wait for one session; a message beyond is dropped and counted. Default 8,388,608. */
  maximumQueuedBytes?: number;
  /** Bytes sent to one connection and not yet written; beyond, QoS 0 is dropped and counted, the rest waits. Default 1,048,576. */
  sendBuffer?: number;
  /** Retained messages. Default 100,000. */
  maximumRetainedMessages?: number;
  /** Bytes of retained messages. Default 67,108,864. */
  maximumRetainedBytes?: number;
  /**
   * Bytes of all messages that are retained, wait, are in flight, delayed or in review, or are a will, each counted once with all
   * that it takes in memory. Beyond, QoS 1 and 2, new wills and new retained messages are refused with 0x97 Quota exceeded, and QoS 0 reaches
   * only those who can take it at once. Default 268,435,456.
   */
  maximumMessageBytes?: number;
  /**
   * Messages to `$delayed/SECONDS/topic` that are not due yet; one more is refused with 0x97. Their bytes are part of
   * `maximumMessageBytes`, and so are those of wills that wait for a review, of which that alone is the limit. Default 10,000.
   */
  maximumDelayedMessages?: number;
  /**
   * How many of these may be one user's or, of clients that are no user's and where there is no `authenticate`, one Client
   * Identifier's; one more is refused with 0x97. Default 1,000.
   */
  maximumDelayedMessagesPerUser?: number;
  /** The most seconds by which such a message may be delayed; more is refused with 0x90. Default 604,800, a week. */
  maximumDelaySeconds?: number;
  /** Values that `Broker.keep` keeps. Default 10,000. */
  maximumKeptRecords?: number;
  /** Bytes of these values and their names, and 192 for each. Default 16,777,216. */
  maximumKeptBytes?: number;
  /** Seconds between two publications of the `$SYS` topics while anybody subscribes to them; 0 is never. Default 10. */
  sysIntervalSeconds?: number;
  /** Response Information for clients that request it. */
  responseInformation?: string;
}

/** How a broker is opened. */
export interface BrokerOptions extends BrokerLimits {
  /** The rights of every client; not beside `authenticate`, whose verdicts give them. Default all. */
  grants?: Grant[];
  /**
   * Decides who is let in. `transport` is what was given to `accept` or `resume`: from it you know what else the connection
   * brought. One that throws keeps the client out. Default: everybody is let in.
   */
  authenticate?: (request: AuthenticationRequest, transport: Connectable) => Verdict | PromiseLike<Verdict>;
  /** What is done with messages by their topics; the first rule that matches counts. Default none: all is published. */
  rules?: PublishRule[];
  /**
   * Decides what becomes of the messages for which one of the `rules` says `review`; without such a rule it is not called. Until
   * then nothing is acknowledged or published, and what the client sends next waits; others do not. After a sleep, or on another
   * connection of the client, the same message is reviewed anew. One that throws, or takes longer than `reviewTimeoutMillis`,
   * leaves it to `reviewFallback`. A will, and what the host publishes for somebody, is kept until it is reviewed.
   */
  review?: (message: ReviewedMessage, publisher: Publisher) => ReviewDecision | PromiseLike<ReviewDecision>;
  /** Milliseconds that a review may take. Default 5,000. */
  reviewTimeoutMillis?: number;
  /** What becomes of a message whose review fails: `refuse` is 0x83. Default `refuse`. */
  reviewFallback?: 'accept' | 'drop' | 'refuse';
  /**
   * Keeps retained messages, the sessions that outlive their connections, wills, and what `Broker.keep` was given: for the next
   * broker with this storage, whatever ends this one. Default: memory alone.
   */
  storage?: RecordStorage;
  /** What becomes of the broker when its storage fails: with `memory` it goes on without. Default: it is over. */
  storageFallback?: 'memory';
  /**
   * The connections that outlived an earlier broker with this storage, as a Durable Object's WebSockets do. With this, also
   * if there are none, the broker keeps the `state` of each transport up to date. Only with a storage.
   */
  resume?: readonly Transport[];
  /**
   * Hears of connections, refusals, dropped messages, and of what is wrong with the storage; also over what the connection came
   * that an event is about.
   */
  onEvent?: (event: BrokerEvent, transport?: Connectable) => void;
  /** Milliseconds since 1970. Default `Date.now`. */
  clock?: Clock;
  /** Wakes the broker. Default `setTimeout`. */
  timer?: Timer;
  /** The package's `broker.wasm`, where it is not to come from the package itself. What is loaded first is used by all. */
  wasm?: WasmSource | PromiseLike<WasmSource>;
}

/** Something worth knowing about a broker. */
export type BrokerEvent =
  | { type: 'connected'; connection: number; clientId: string; version: ProtocolVersion; sessionPresent: boolean }
  | { type: 'refused'; connection: number; refusal: Refusal }
  | { type: 'disconnected'; connection: number; clientId: string; refusal: Refusal }
  | { type: 'publishRefused'; clientId?: string; topic: string; reason: number }
  /** A packet of a client that `Broker.trace` watches: never its payload, password or authentication data. */
  | ({ type: 'packet' } & TracedPacket)
  /** `review` failed or was late: `reviewFallback` counts. */
  | { type: 'reviewFailed'; clientId: string; topic: string }
  | { type: 'dropped'; clientId: string; why: string; count: number }
  /** A record cannot be used; it is left where it is. */
  | { type: 'recordRejected'; key: Uint8Array; reason: string }
  /** The broker goes on in memory. */
  | { type: 'storageFailed'; error: MqttError };

/** How a client is watched. */
export interface TraceOptions {
  /** Milliseconds since 1970. */
  until: number;
}

/** A packet of a client that is watched. */
export interface TracedPacket {
  connection: number;
  /** Before the CONNACK, who the client says that it is. */
  clientId: string;
  direction: 'received' | 'sent';
  /** In the standard's spelling, such as `PUBLISH`. */
  packet: string;
  packetId?: number;
  /** Of a PUBLISH, also where an alias stands for it. */
  topic?: string;
  qos?: QoS;
  retain?: boolean;
  dup?: boolean;
  /** Where the packet has one, and no more than one. */
  reasonCode?: number;
  /** The length of the whole packet. */
  bytes: number;
}

/** Why a connection ended. */
export interface Refusal {
  /** A Reason Code. */
  reason: number;
  /** One sentence. */
  message: string;
}

/** What a broker counts: since it was opened, or now. */
export interface BrokerStatistics {
  /** Clients connected now. */
  clientsConnected: number;
  /** Most clients ever connected at a time. */
  clientsMaximum: number;
  /** Sessions now, connected or not. */
  sessions: number;
  /** Subscriptions now. */
  subscriptions: number;
  /** Bytes that these take now, about. */
  subscriptionBytes: number;
  /** Retained messages now. */
  retainedMessages: number;
  /** Bytes of retained messages now. */
  retainedBytes: number;
  /** Bytes of all messages now: retained, waiting, in flight, and wills. Each counts once. */
  messageBytes: number;
  /** Messages that wait in queues or are in flight now. */
  messagesStored: number;
  /** Messages to be published later, now: delayed ones, and wills that wait for a review. */
  messagesDelayed: number;
  /** Messages that wait for a review now. */
  messagesInReview: number;
  bytesReceived: number;
  bytesSent: number;
  /** Messages received from clients. */
  messagesReceived: number;
  /** Messages sent to clients. */
  messagesSent: number;
  /** Messages dropped for one subscriber, because of a limit. */
  messagesDropped: number;
  /** Messages refused to their publisher. */
  messagesRefused: number;
  /** Connections refused, or closed for breaking a rule. */
  connectionsRefused: number;
}

/** How a client connects. */
export interface ConnectOptions {
  /** Default: the server assigns one. */
  clientId?: string;
  /** Default 5. */
  protocolVersion?: ProtocolVersion;
  /** Whether to begin without an earlier session. In 3.1.1 this is Clean Session. Default true. */
  cleanStart?: boolean;
  /**
   * Seconds; 0 is none. A ping is sent after half of it without anything else: as browsers wake a hidden page once a minute only,
   * less than 120 may cost such a page its connection. Default 120.
   */
  keepAlive?: number;
  userName?: string;
  password?: string | Uint8Array;
  /**
   * Asked at each attempt to connect, such as for a token that has just been issued. Instead of `userName` and `password`. It may
   * take its time; meanwhile the client is `connecting`.
   */
  credentials?: () => Credentials | PromiseLike<Credentials>;
  /**
   * Whether `connect` resolves when the client is connected, and rejects when its first attempt fails. Otherwise it resolves
   * with a client that connects in the background, and tries again until it ends. Default true.
   */
  waitForConnection?: boolean;
  /** How the client comes back when its connection is lost. Not over a single connection such as a MessagePort. `false`: it ends. */
  reconnect?: false | ReconnectOptions;
  /** Which server a Server Reference names. Default: it is followed where it makes an address; `false`: it is not. */
  redirect?: false | Redirect;
  /** What the server publishes when the connection ends badly. */
  will?: WillOptions;
  /** MQTT 5 only. */
  properties?: ConnectProperties;
  /** Enhanced authentication, such as that of `scramSha256`. MQTT 5 only. */
  authentication?: Authentication;
  /** Takes the messages that no subscription of this client matches, such as those of a session that was kept. */
  onMessage?: (message: Message) => void | PromiseLike<void>;
  /** Whether the QoS 1 and 2 messages that `onMessage` takes wait for `message.ack()`. Default false. */
  manualAck?: boolean;
  /** Topics that are sent once and then as two bytes, if the server allows as many. MQTT 5 only. Default 64. */
  assignedTopicAliases?: number;
  /** What may wait for a connection, or for the server's Receive Maximum. */
  outbox?: OutboxOptions;
  /** Milliseconds that opening, and each answer to a CONNECT or ping, may take. Default 10,000. */
  responseTimeoutMillis?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  clock?: Clock;
  /** Wakes the client. Default `setTimeout`. */
  timer?: Timer;
  /**
   * The package's `client.wasm`, where it is not to come from the package itself; for `connect` of `mqlite/broker` its
   * `broker.wasm`. What is loaded first is used by all.
   */
  wasm?: WasmSource | PromiseLike<WasmSource>;
}

/** Who a client says that it is. */
export interface Credentials {
  userName?: string;
  password?: string | Uint8Array;
}

/** The limits of what waits to be sent. */
export interface OutboxOptions {
  /** Messages. Default 1,000. */
  maximumMessages?: number;
  /** Bytes of their packets. Default 16,777,216. */
  maximumBytes?: number;
  /**
   * What happens to one more message: it is refused with `queue-full`, or it or the oldest ends as `dropped`. Default `reject`.
   */
  policy?: 'reject' | 'drop-oldest' | 'drop-newest';
  /**
   * Keeps what waits and what is under way, for one client at a time: after a reload the next client with this storage goes on.
   * Nothing is sent before what it depends on is durable. The session is then kept for a day, unless `sessionExpiryInterval` says
   * otherwise, and `end()` leaves it. A storage that fails ends the client, with a code that begins with `storage-`.
   */
  storage?: RecordStorage;
}

/** The message that the server publishes when the connection ends badly. */
export interface WillOptions {
  topic: string;
  /** At most 65,535 bytes. Default empty. */
  payload?: Payload;
  qos?: QoS;
  retain?: boolean;
  /** MQTT 5 only. */
  properties?: MessageProperties & {
    /** Seconds that the server waits for the client to come back before it publishes. Default 0. */
    willDelayInterval?: number;
  };
}

/** The CONNECT Properties of MQTT 5 (3.1.2.11). */
export interface ConnectProperties {
  /**
   * Seconds that the session outlives the connection; 4,294,967,295 is for ever. Default 120 for a client that reconnects, so
   * that it misses nothing meanwhile, and whose `end()` ends the session. For others 0.
   */
  sessionExpiryInterval?: number;
  /**
   * QoS 1 and 2 messages that the server may send before this client acknowledges. Default 256. A server that sends more, as
   * mosquitto 2.0 does, is closed with 0x93 beyond 8,192.
   */
  receiveMaximum?: number;
  /** Bytes of the largest packet that this client takes. Default 1,048,576. */
  maximumPacketSize?: number;
  /** Topic Aliases that the server may set. Default 64. */
  topicAliasMaximum?: number;
  requestResponseInformation?: boolean;
  requestProblemInformation?: boolean;
  userProperties?: UserProperty[];
}

/** What an MQTT 5 server said when it accepted the connection (3.2.2.3); what it left out is absent. */
export interface ServerProperties {
  sessionExpiryInterval?: number;
  receiveMaximum?: number;
  maximumQos?: QoS;
  retainAvailable?: boolean;
  maximumPacketSize?: number;
  topicAliasMaximum?: number;
  reasonString?: string;
  userProperties?: UserProperty[];
  wildcardSubscriptionAvailable?: boolean;
  subscriptionIdentifiersAvailable?: boolean;
  sharedSubscriptionAvailable?: boolean;
  serverKeepAlive?: number;
  responseInformation?: string;
  serverReference?: string;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
}

/** How a client subscribes. */
export interface SubscribeOptions extends RequestLimits {
  /** The highest QoS to receive with. Default 0. */
  qos?: QoS;
  /** Whether messages that this client published stay away. MQTT 5 only. Default false. */
  noLocal?: boolean;
  /** Whether messages keep the publisher's RETAIN flag. MQTT 5 only. Default false. */
  retainAsPublished?: boolean;
  /** When retained messages are sent: always, if the subscription is new, or never. MQTT 5 only. Default `send`. */
  retainHandling?: 'send' | 'sendIfNew' | 'doNotSend';
  /** The Subscription Identifier, from 1 to 134,217,727: it comes with the messages. MQTT 5 only. Default the client's own. */
  identifier?: number;
  /** MQTT 5 only. */
  userProperties?: UserProperty[];
  /** Whether messages of QoS 1 and 2 wait for `message.ack()`, in the order in which they came. Default false. */
  manualAck?: boolean;
  /** Gives up while the server has not answered, with `aborted`; later it ends the subscription. */
  signal?: AbortSignal;
}

/** How a client says goodbye. */
export interface EndOptions {
  /** A Reason Code. Default 0x00; 0x04 has the will published. */
  reason?: number;
  /** Seconds that the session is kept, instead of what `sessionExpiryInterval` said at connecting. MQTT 5 only. */
  sessionExpiryInterval?: number;
}
