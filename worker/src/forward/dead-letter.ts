// Where messages go that could not be delivered: a topic of the room, or a Queue. Knows no attempts.

import type { Broker, Message, MqttError, UserProperty } from 'mqlite/broker';
import { toJson } from '../message-json.js';
import type { DeadLetter } from './settings.js';
import { DeliveryError, toQueue } from './targets.js';

/** What is told of the failure. */
export interface Failure {
  readonly forward: string;
  readonly attempts: number;
  readonly reason: string;
}

/**
 * Takes a message that could not be delivered.
 * @throws Whatever kept it from that.
 */
export type Bury = (id: string, message: Message, failure: Failure) => Promise<void>;

/** What a Queue gets beside the message. */
export interface DeadLetterDetails {
  readonly attempts: number;
  readonly reason: string;
}

export function buryIn(deadLetter: DeadLetter, bindings: object, room: string, broker: () => Broker, timeoutMillis: number): Bury {
  if ('queue' in deadLetter) {
    const queue = (bindings as Record<string, Queue>)[deadLetter.queue] as Queue;
    return async (id, message, { forward, attempts, reason }) => {
      const details: DeadLetterDetails = { attempts, reason };
      const body = { id, ...toJson(message), ...details };
      await toQueue(queue, timeoutMillis)(id, { room, forward, messages: [body] });
    };
  }
  return async (id, { topic, payload, properties }, { forward, attempts, reason }) => {
    const { subscriptionIdentifiers: _, userProperties = [], ...others } = properties;
    const told: UserProperty[] = [['dead-letter-of', forward], ['id', id], ['topic', topic], ['attempts', `${attempts}`], ['reason', reason]];
    const options = { qos: 1 as const, properties: { ...others, userProperties: [...userProperties, ...told] } };
    await broker().publish(deadLetter.topic, payload, options).catch((error: MqttError) => {
      const isTooLarge = error.code === 'refused' && error.reason === PACKET_TOO_LARGE;
      throw isTooLarge ? new DeliveryError('The message is too large for the dead letter.', { isFinal: true }) : error;
    });
  };
}

/**
 * The topic at which messages come from a dead letter. From there none goes to one again, which could go on for ever: what a message
 * says of itself does not count, as its publisher says it.
 */
export function topicOf(deadLetter: DeadLetter | undefined): string | undefined {
  return deadLetter && 'topic' in deadLetter ? deadLetter.topic.replace(DELAY, '') : undefined;
}

/** What stands before a topic that is published to later. */
const DELAY = /^\$delayed\/\d+\//;

/** A Reason Code. */
const PACKET_TOO_LARGE = 0x95;
