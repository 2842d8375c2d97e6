// A message as the JSON that it is delivered in. Knows no place where it goes.

import type { Message } from 'mqlite/broker';
import { base64 } from './base64.js';

/** A message as JSON. */
export interface JsonMessage {
  readonly topic: string;
  /** The payload, where it is UTF-8. */
  readonly payload?: string;
  /** The payload in base64, where it is not. */
  readonly payloadBase64?: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly contentType?: string;
  readonly responseTopic?: string;
  /** In base64. */
  readonly correlationDataBase64?: string;
  /** Seconds. */
  readonly messageExpiryInterval?: number;
  readonly payloadFormatIndicator?: boolean;
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}

/** A message as a Queue, a Service or a webhook gets it. */
export interface ForwardedMessage extends JsonMessage {
  /** The same whenever this message is delivered again, and of no other message: who remembers it takes each message once. */
  readonly id: string;
}

/** What a Service or a webhook gets: at least one message, in the order in which they were published. */
export interface ForwardedBatch {
  readonly room: string;
  /** The name of the forward. */
  readonly forward: string;
  readonly messages: readonly ForwardedMessage[];
}

/** The JSON of a message. */
export function toJson({ topic, payload, qos, retain, properties }: Pick<Message, 'topic' | 'payload' | 'qos' | 'retain' | 'properties'>): JsonMessage {
  const { contentType, responseTopic, correlationData, messageExpiryInterval, payloadFormatIndicator, userProperties } = properties;
  return {
    topic,
    ...inWords(payload),
    qos,
    retain,
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationDataBase64: base64(correlationData) }),
    ...(messageExpiryInterval !== undefined && { messageExpiryInterval }),
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator }),
    ...(userProperties?.length && { userProperties }),
  };
}

function inWords(payload: Uint8Array): Pick<ForwardedMessage, 'payload' | 'payloadBase64'> {
  try {
    return { payload: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload) };
  } catch {
    return { payloadBase64: base64(payload) };
  }
}
