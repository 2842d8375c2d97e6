// Where messages go besides to clients: what an operator says of it, and what is wrong with that. Knows no room.

import { isFilter } from '../access/names.js';

/** Messages whose topics match a filter, delivered to a Queue, to another Worker or to a web server: exactly one of these. */
export interface Forward {
  /** 1 to 64 letters, digits, dots, underscores or hyphens. What waits is kept under this name: whoever changes it begins anew. */
  readonly name: string;
  /** A Topic Filter. */
  readonly filter: string;
  /**
   * The QoS of the subscription. At 1, messages of QoS 1 and 2 wait until they are delivered, and survive sleep and crash. What
   * was published at QoS 0 is tried once. Default 1.
   */
  readonly qos?: 0 | 1;
  /** The binding of a Queue: each message becomes one of the Queue's, a `ForwardedMessage`. */
  readonly queue?: string;
  /** The binding of a Service: its `fetch` gets a POST with a `ForwardedBatch`. */
  readonly service?: string;
  /** An `https:` address, which gets a POST with a `ForwardedBatch`. */
  readonly webhook?: string;
  /** Whether the address may be of this machine and of `http:`, for development. Default false. */
  readonly loopback?: boolean;
  /** The secret binding whose text each request to a webhook is signed with, as Standard Webhooks says. */
  readonly signature?: string;
  /** The secret binding that has more headers of each request to a webhook, such as Authorization: a JSON object of texts. */
  readonly headersFrom?: string;
  /** Messages in one request, at most 100. Default 1. */
  readonly batch?: number;
  /** How often a message is tried, at most 1,000. Default 10. */
  readonly maximumAttempts?: number;
  /** Milliseconds before the second attempt; before each further one twice as many. From 10. Default 1,000. */
  readonly minimumDelayMillis?: number;
  /** The most milliseconds between two attempts, at most a day. Default 300,000. */
  readonly maximumDelayMillis?: number;
  /** Milliseconds that an attempt may take, at most 60,000. Default 10,000. */
  readonly timeoutMillis?: number;
  /** Where a message goes whose attempts are used up. Default: nowhere; it is counted as lost. */
  readonly deadLetter?: DeadLetter;
}

/** A topic of the room, or the binding of a Queue. */
export type DeadLetter = { readonly topic: string } | { readonly queue: string };

/** One with all that has a default. */
export type KnownForward = Forward & Required<Pick<Forward, 'qos' | keyof typeof RANGES>>;

/** What is left out has its default. */
export function known(forward: Forward): KnownForward {
  return { qos: 1, ...DEFAULTS, ...forward };
}

/** What is wrong with it, in one sentence. `bindings`: what the Worker has. */
export function faultOf(forward: Forward, bindings: object): string | undefined {
  const key = Object.keys(forward).find((key) => !KEYS.includes(key));
  if (key !== undefined) return `There is no "${key}" of a forward: there are ${KEYS.join(', ')}.`;
  const { name, filter, qos, queue, service, webhook, loopback, signature, headersFrom, deadLetter } = known(forward);
  const has = (binding: string, method: string) => typeof get(get(bindings, binding), method) === 'function';
  if (typeof name !== 'string' || !NAME.test(name)) return 'The name of a forward is 1 to 64 letters, digits, dots, underscores or hyphens.';
  if (!isFilter(filter)) return 'A forward needs a filter, which is a Topic Filter.';
  if (qos !== 0 && qos !== 1) return 'The qos of a forward is 0 or 1.';
  if ([queue, service, webhook].filter((target) => target !== undefined).length !== 1) {
    return 'A forward has exactly one of queue, service and webhook.';
  }
  if (queue !== undefined && !has(queue, 'sendBatch')) return `There is no binding "${queue}" of a Queue.`;
  if (service !== undefined && !has(service, 'fetch')) return `There is no binding "${service}" of a Service.`;
  if (loopback !== undefined && typeof loopback !== 'boolean') return 'The loopback of a forward is true or false.';
  const fault = webhook === undefined ? undefined : faultOfAddress(webhook, loopback === true);
  if (fault !== undefined) return fault;
  for (const secret of [signature, headersFrom]) {
    if (secret !== undefined && webhook === undefined) return 'The keys signature and headersFrom are of a webhook alone.';
    if (secret !== undefined && typeof get(bindings, secret) !== 'string') return `There is no secret "${secret}".`;
  }
  return faultOfDeadLetter(deadLetter, (binding) => has(binding, 'sendBatch')) ?? faultOfNumbers(known(forward));
}

function faultOfDeadLetter(deadLetter: unknown, isQueue: (binding: string) => boolean): string | undefined {
  if (deadLetter === undefined) return undefined;
  const [[key, value] = ['', ''], ...others] = Object.entries(Object(deadLetter) as Record<string, unknown>);
  if ((key !== 'topic' && key !== 'queue') || others.length > 0) return 'The deadLetter of a forward is an object with topic, or with queue.';
  if (key === 'queue') return typeof value === 'string' && isQueue(value) ? undefined : `There is no binding "${value}" of a Queue.`;
  return typeof value === 'string' && isFilter(value) && !/[+#]/.test(value) ? undefined : 'The topic of a deadLetter is a Topic Name, without wildcards.';
}

function faultOfAddress(webhook: unknown, loopback: boolean): string | undefined {
  const url = typeof webhook === 'string' && URL.canParse(webhook) ? new URL(webhook) : undefined;
  if (!url) return 'The webhook is no address.';
  if (url.username !== '' || url.password !== '') return 'The address of a webhook has no user name and password: use headersFrom.';
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (isLoopback) return loopback ? undefined : 'The webhook is of this machine, which needs "loopback": true.';
  return url.protocol === 'https:' ? undefined : 'The address of a webhook begins with https:.';
}

function faultOfNumbers(forward: KnownForward): string | undefined {
  for (const [key, [least, most]] of Object.entries(RANGES) as [keyof typeof RANGES, readonly [number, number]][]) {
    const value = forward[key];
    if (!Number.isInteger(value) || value < least || value > most) return `The ${key} of a forward is a whole number from ${least} to ${most}.`;
  }
  return forward.minimumDelayMillis > forward.maximumDelayMillis ? 'minimumDelayMillis is more than maximumDelayMillis.' : undefined;
}

/** A binding by its name; what all objects have is none. */
function get(object: unknown, key: string): unknown {
  return typeof object === 'object' || typeof object === 'function' ? (object as Record<string, unknown> | null)?.[key] : undefined;
}

/** All of them. */
const KEYS: readonly string[] = Object.keys({
  name: true,
  filter: true,
  qos: true,
  queue: true,
  service: true,
  webhook: true,
  loopback: true,
  signature: true,
  headersFrom: true,
  batch: true,
  maximumAttempts: true,
  minimumDelayMillis: true,
  maximumDelayMillis: true,
  timeoutMillis: true,
  deadLetter: true,
} satisfies Record<keyof Forward, true>);

const NAME = /^[\w.-]{1,64}$/;

/** The least and the most of each number. */
const RANGES = {
  batch: [1, 100],
  maximumAttempts: [1, 1_000],
  minimumDelayMillis: [10, 86_400_000],
  maximumDelayMillis: [10, 86_400_000],
  timeoutMillis: [10, 60_000],
} as const;

const DEFAULTS = { batch: 1, maximumAttempts: 10, minimumDelayMillis: 1_000, maximumDelayMillis: 300_000, timeoutMillis: 10_000 };
