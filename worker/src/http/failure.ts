// What went wrong with a request, as the answer that says so. Knows which status a Reason Code of MQTT is over HTTP.

import type { Log } from '../log.js';

/** An answer in place of the one that was asked for. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly status: number;
  readonly reasonCode: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** `sentence` is for who made the request. */
  constructor(status: number, sentence: string, { reasonCode, headers = {} }: FailureDetails = {}) {
    super(sentence);
    this.status = status;
    this.reasonCode = reasonCode;
    this.headers = headers;
  }

  toResponse(): Response {
    const body = { error: this.message, ...(this.reasonCode !== undefined && { reasonCode: this.reasonCode }) };
    return Response.json(body, { status: this.status, headers: this.headers });
  }
}

interface FailureDetails {
  readonly reasonCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What to answer when this was thrown, here or in the room; what nobody expects is told to the log. */
export function failureOf(error: unknown, log: Log): Failure {
  if (error instanceof Failure) return error;
  // What a room throws comes as an Error with the name and the properties of what it threw.
  const { name, message, code, reason, retryable, overloaded } = error as Thrown;
  if (name === 'MqttError' && reason !== undefined) return refused(reason, message);
  if (name === 'MqttError' && code !== undefined && WRONG.has(code)) return new Failure(400, message);
  if (name === 'MqttError' && code !== undefined && FULL.has(code)) return new Failure(429, message);
  if ((name === 'MqttError' && code !== undefined && PASSING.has(code)) || retryable || overloaded) return UNAVAILABLE();
  // The message may tell what is nobody's business.
  log.error('requestFailed', { message: `${name}: ${message}` });
  return new Failure(500, 'Something went wrong here, and the log says what.');
}

/** What the broker has refused with a Reason Code. */
export function refused(reasonCode: number, sentence: string): Failure {
  return new Failure(STATUS[reasonCode] ?? 400, sentence, { reasonCode });
}

/** What `failureOf` looks at. */
interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly reason?: number;
  /** Said by the platform of a Durable Object that was reset, or has too much to do. */
  readonly retryable?: boolean;
  readonly overloaded?: boolean;
}

const UNAVAILABLE = () => new Failure(503, 'The broker of this room is not there just now: try again.', { headers: { 'Retry-After': '1' } });

/** Codes of errors that are the caller's. */
const WRONG: ReadonlySet<string> = new Set([
  'invalid-options',
  'invalid-topic',
  'qos-not-supported',
  'wildcard-subscriptions-not-supported',
  'shared-subscriptions-not-supported',
]);

/** Codes of errors that there is no room for more. */
const FULL: ReadonlySet<string> = new Set(['queue-full', 'storage-full']);

/** Codes of errors that another attempt may not meet. */
const PASSING: ReadonlySet<string> = new Set(['closed', 'busy', 'broken', 'unreachable', 'interrupted', 'timeout', 'storage-failed']);

/** By Reason Code, where it is not 400. */
const STATUS: { readonly [reasonCode: number]: number } = {
  0x80: 403, // Unspecified error: what a rule says that gives no reason
  0x83: 403, // Implementation specific error
  0x85: 403, // Client Identifier not valid: the session is somebody else's
  0x87: 403, // Not authorized
  0x88: 503, // Server unavailable
  0x89: 503, // Server busy
  0x95: 413, // Packet too large
  0x96: 429, // Message rate too high
  0x97: 429, // Quota exceeded
  0x9f: 429, // Connection rate exceeded
};
