// How requests and connections end.

import type { UserProperty } from './message.js';

/** The server's answer to a request. */
export interface Answer {
  /** A Reason Code: 0x00, the granted QoS, or 0x10 for a message that nobody subscribed to. */
  reason: number;
  /** What else an MQTT 5 server said. */
  reasonString?: string;
  userProperties?: UserProperty[];
}

/** How a connection ended. */
export interface Closed {
  /** By this client, by the server's DISCONNECT, because the server broke a rule or fell silent, or without a word. */
  cause: 'requested' | 'server' | 'violated' | 'silence' | 'lost';
  /** A Reason Code, if there is one. */
  reason?: number;
  /** One sentence. */
  message: string;
  /** The server to use instead, if the server named one. */
  serverReference?: string;
}
