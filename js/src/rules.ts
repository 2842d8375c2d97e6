// What is done with messages before they are published: rules as data, and what a review is told and says.

import type { MessageProperties, Payload, QoS } from './message.js';

/**
 * What is done with the messages that clients publish to the topics which a filter matches; with their wills, too, and with what
 * the host publishes for somebody (`grants` or `userName` of `Broker.publish`), but not with what it publishes for itself. Grants
 * are about the topic that was named; a rule may lead out of them.
 */
export type PublishRule =
  /** `drop`: the client hears a success, and nothing is published. `refuse`: it hears 0x87. `review`: the option `review` decides. */
  | { filter: string; action: 'drop' | 'refuse' | 'review' }
  /**
   * It is published to `topic` instead, in which `$1` to `$99` stand for what the wildcards of the filter matched, `%c` for the
   * Client Identifier and `%u` for the user name. A name that is missing, or could not stand for one level, refuses with 0x87; a
   * topic that is none, or is one of `$SYS` or `$delayed`, with 0x90.
   */
  | { filter: string; action: 'rewrite'; topic: string };

/** A message that is reviewed, to the topic that the client named. */
export interface ReviewedMessage {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties: MessageProperties;
}

/** Who publishes it. */
export interface Publisher {
  /** Empty for somebody for whom the host publishes. */
  clientId: string;
  userName?: string;
}

/** What becomes of a message that was reviewed. */
export type ReviewDecision =
  | { type: 'accept' }
  /**
   * It is published with another topic, a payload, or both. The client hears 0x90 for a topic that is none, or is one of `$SYS` or
   * `$delayed`, and 0x97 for a packet beyond `maximumPacketSize`.
   */
  | { type: 'rewrite'; topic?: string; payload?: Payload }
  /** The client hears a success, and nothing is published. */
  | { type: 'drop' }
  /** The client hears this Reason Code: 0x80, 0x83, 0x87, 0x90, 0x97 or 0x99; 0x83 for any other. Default 0x87 Not authorized. */
  | { type: 'refuse'; reason?: number };
