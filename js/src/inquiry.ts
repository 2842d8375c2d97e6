// What a host may ask its broker for, page by page, and on whose behalf it may act.

import type { MessageProperties, PublishOptions, QoS } from './message.js';
import type { Grant, ProtocolVersion } from './options.js';

/** Somebody who acts through the host without a connection, as over HTTP. */
export interface Caller {
  /** What it may do, as for a client; `%c` stands for nothing. Default: all, and where there is no `userName` either, the host's own rights. */
  grants?: Grant[];
  /** Who it is, as the host has found out: `%u`. */
  userName?: string;
}

/** How a host publishes: on its own behalf, or on that of somebody whose rights are then checked. */
export interface HostPublishOptions extends PublishOptions, Caller {}

/** Which part of a list. */
export interface PageOptions {
  /** Items at most, from 1 to 1,000. Default 100. */
  limit?: number;
  /** Where the part before ended: its `next`. Default: the list begins. */
  after?: string;
}

/** Which retained messages, and on whose behalf. */
export interface RetainedOptions extends PageOptions, Caller {}

/** A part of a list. */
export interface Page<T> {
  /** It may be empty although more follows. */
  items: T[];
  /** What to say as `after` to go on; absent at the end. */
  next?: string;
}

/** A client that is connected, or has a session. */
export interface ClientDetails {
  clientId: string;
  /** Whose session it is. */
  userName?: string;
  connected: boolean;
  /** While it is connected. */
  protocolVersion?: ProtocolVersion;
  /** When it was let in, in milliseconds since 1970; while it is connected. */
  connectedAt?: number;
  /** In seconds; 0 is none. While it is connected. */
  keepAlive?: number;
  /** In seconds; 4,294,967,295 is for ever. */
  sessionExpiryInterval: number;
  /** How many it has. */
  subscriptions: number;
  /** How many messages wait for it. */
  queued: number;
  /** How many messages of QoS 1 and 2 are on their way to it. */
  inFlight: number;
}

/** A retained message. */
export interface RetainedMessage {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  /** `messageExpiryInterval` is what is left of it. */
  properties: MessageProperties;
}

/** How clients are sent to another server. */
export interface MoveOptions {
  /** Whether they need not come back: 0x9D Server moved, otherwise 0x9C Use another server. Default false. */
  permanent?: boolean;
}

/** How a host closes a client's connection. */
export interface DisconnectOptions {
  /** What an MQTT 5 client is told, a Reason Code from 0x80. Default 0x98 Administrative action. */
  reason?: number;
  /** Whether its session ends, too. Default false: it may come back to it. */
  endSession?: boolean;
}
