// The one error type of the package.

/** Why something failed, in a word for programs. */
export type MqttErrorCode =
  /** An option has the wrong type or value, or contradicts another. */
  | 'invalid-options'
  /** A topic or filter breaks a rule of the standard. */
  | 'invalid-topic'
  /** The server said no; `reason` is its Reason Code. */
  | 'refused'
  /** One side does not prove to the other who it is. */
  | 'authentication-failed'
  /** The connection ended before the server answered: whether it did what was asked is not known. */
  | 'interrupted'
  /** The client or broker is closed. */
  | 'closed'
  /** There was no connection to be had. */
  | 'unreachable'
  /** The browser says that there is no network. */
  | 'offline'
  /** It took longer than its `timeout`. */
  | 'timeout'
  /** Its `signal` was aborted; `cause` is why. */
  | 'aborted'
  /** This platform lacks something that is needed. */
  | 'unsupported'
  /** The message or packet is larger than the server accepts. */
  | 'packet-too-large'
  /** Too many requests wait already. */
  | 'queue-full'
  /** It waited to be sent, and had to make room for others, as the outbox's policy says. */
  | 'dropped'
  /** The server does not offer what was asked for. */
  | 'qos-not-supported'
  | 'retain-not-supported'
  | 'wildcard-subscriptions-not-supported'
  | 'shared-subscriptions-not-supported'
  | 'subscription-identifiers-not-supported'
  /** MQTT 3.1.1 does not have what was asked for. */
  | 'needs-mqtt-5'
  /** A Shared Subscription cannot be No Local. */
  | 'no-local-on-shared'
  /** All 65,535 Packet Identifiers are in use. */
  | 'packet-identifiers-exhausted'
  /** There is no room for what is to be stored. */
  | 'storage-full'
  /** There is no storage to be had here, as in some private windows. */
  | 'storage-unavailable'
  /** Other code keeps the database from opening, as a tab with an older version of it does. */
  | 'storage-blocked'
  /** Another broker has this storage open. */
  | 'storage-in-use'
  /** The storage was deleted, or closed, under the broker. */
  | 'storage-lost'
  /** The storage failed in another way. */
  | 'storage-failed'
  /** A handler or another function that was given to a client failed; `cause` is what it threw. */
  | 'handler-failed'
  /** Messages wait at a subscription that has no handler and is not iterated, and may hold back all that follow. */
  | 'unattended'
  /** It was called from within its own work, such as a transport's `send`. */
  | 'busy'
  /** The WebAssembly instance, the clock or the timer failed; what is in no storage is lost. */
  | 'broken';

/** What went wrong: a word for programs (`code`), a sentence for people (`message`), and what may help (`hint`). */
export class MqttError extends Error {
  override readonly name = 'MqttError';
  readonly code: MqttErrorCode;
  /** The Reason Code of the server, where it gave one. */
  readonly reason: number | undefined;
  /** The server's own words, where it gave a Reason String; `message` has them too. Whoever shows them shows them as text. */
  readonly reasonString: string | undefined;
  /** What may help, as a sentence. */
  readonly hint: string | undefined;

  constructor(code: MqttErrorCode, message: string, { reason, reasonString, hint = HINTS[code], cause }: MqttErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.reason = reason;
    this.reasonString = reasonString;
    this.hint = hint;
  }
}

/** What may be said beside the code and the sentence. */
export interface MqttErrorDetails {
  reason?: number | undefined;
  reasonString?: string | undefined;
  hint?: string | undefined;
  cause?: unknown;
}

/** An error that nobody waits for: of a callback, or of what a transport did. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else console.error(error);
}

/** Runs a callback of the user's; what goes wrong in it is reported. A promise that waits for it, if it takes time. */
export function attempt(call: () => unknown): Promise<void> | undefined {
  try {
    const result = call();
    return isThenable(result) ? Promise.resolve(result).then(() => {}, report) : undefined;
  } catch (error) {
    report(error);
    return undefined;
  }
}

export function isThenable(value: unknown): value is PromiseLike<any> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** With a capital, unless it begins with the name of an option, and a full stop. */
export function sentence(text: string): string {
  const whole = /^[\w.[\]]+: /.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

const HINTS: Partial<Record<MqttErrorCode, string>> = {
  closed: 'Connect again.',
  timeout: 'Look whether there is a connection (client.status) and whether the other side answers, or allow it more time.',
  'invalid-topic': "Levels are separated by /; + stands for one level and # for all that follow, in filters alone and as whole levels.",
  'needs-mqtt-5': 'Connect with MQTT 5, if the server knows it.',
  'handler-failed': 'Look at the cause: it is what your function threw.',
  unattended: 'Pass a handler to subscribe(), or iterate the subscription.',
  offline: 'A client that is connected, or connects with waitForConnection: false, goes on by itself when the network is back.',
  interrupted: 'Repeat it if repeating does no harm.',
  'packet-too-large': 'Send less at a time, or raise the limit of the server.',
  'queue-full': 'Wait for what was asked before, or raise the limits of the outbox.',
  dropped: 'Publish it again, or raise the limits of the outbox.',
  'qos-not-supported': 'Publish with a lower QoS.',
  'retain-not-supported': 'Publish without retain.',
  'wildcard-subscriptions-not-supported': 'Subscribe to each topic by its name.',
  'shared-subscriptions-not-supported': 'Subscribe without $share.',
  'subscription-identifiers-not-supported': 'Subscribe without an identifier.',
};
