// What a batch is handed to: a Queue, a Service or a webhook. Knows no attempts: each call is one.

import type { ForwardedBatch, ForwardedMessage } from '../message-json.js';
import type { KnownForward } from './settings.js';
import { keyOf, signed } from './signature.js';

/**
 * Delivers a batch, whose identifier is the same at each attempt.
 * @throws DeliveryError, or what the platform throws.
 */
export type Target = (id: string, batch: ForwardedBatch) => Promise<void>;

/** The other side did not take it. */
export class DeliveryError extends Error {
  /** Milliseconds that the other side wants to be left alone. */
  readonly retryAfterMillis: number | undefined;
  /** Whether it never will. */
  readonly isFinal: boolean;

  constructor(message: string, { retryAfterMillis, isFinal = false }: { retryAfterMillis?: number | undefined; isFinal?: boolean } = {}) {
    super(message);
    this.retryAfterMillis = retryAfterMillis;
    this.isFinal = isFinal;
  }
}

/** What a Queue gets. */
export type QueuedMessage = ForwardedMessage & Pick<ForwardedBatch, 'room' | 'forward'>;

/**
 * The target of a forward without faults.
 * @throws DeliveryError for a secret that is not what it is for.
 */
export function targetOf(forward: KnownForward, bindings: object): Target {
  const bound = bindings as Record<string, Queue & Fetcher & string>;
  const { queue, service, webhook = '', timeoutMillis, signature, headersFrom } = forward;
  if (queue !== undefined) return toQueue(bound[queue] as Queue, timeoutMillis);
  if (service !== undefined) {
    const fetcher = bound[service] as Fetcher;
    return async (_, batch) => {
      await post((request) => fetcher.fetch(request), `https://mqlite.invalid/${forward.name}`, JSON.stringify(batch), {}, timeoutMillis);
    };
  }
  const secret = signature === undefined ? undefined : toKey(signature, bound[signature] as string);
  const headers = headersFrom === undefined ? {} : toHeaders(headersFrom, bound[headersFrom] as string);
  return async (id, batch) => {
    const body = JSON.stringify(batch);
    const signs = secret === undefined ? {} : await signed(secret, id, Date.now(), body);
    await post((request) => fetch(request), webhook, body, { ...headers, ...signs }, timeoutMillis);
  };
}

/** Delivers to a Queue. */
export function toQueue(queue: Queue, timeoutMillis: number): Target {
  return async (_, { room, forward, messages }) => {
    const bodies = messages.map((message) => ({ body: { room, forward, ...message } satisfies QueuedMessage, contentType: 'json' as const }));
    if (bodies.some(({ body }) => encoder.encode(JSON.stringify(body)).byteLength > MOST_QUEUED_BYTES)) {
      throw new DeliveryError('The message is larger than a Queue takes.', { isFinal: true });
    }
    await within(timeoutMillis, queue.sendBatch(bodies));
  };
}

async function post(
  send: (request: Request) => Promise<Response>,
  address: string,
  body: string,
  headers: Record<string, string>,
  timeoutMillis: number,
): Promise<void> {
  const abort = new AbortController();
  // Nobody but the address itself is to see what is sent, so that a redirect is not followed.
  const request = new Request(address, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
    redirect: 'manual',
    signal: abort.signal,
  });
  try {
    const response = await within(timeoutMillis, send(request));
    await response.body?.cancel();
    if (!response.ok) throw new DeliveryError(`The answer was ${response.status}.`, { retryAfterMillis: retryAfter(response) });
  } catch (error) {
    abort.abort();
    throw error;
  }
}

/** The header Retry-After, where it is in seconds. */
function retryAfter({ headers }: Response): number | undefined {
  const said = headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(said) ? Number(said) * 1000 : undefined;
}

/** A timer that is over leaves nothing that would keep the room awake. */
async function within<T>(millis: number, task: Promise<T>): Promise<T> {
  let handle: number | null = null;
  const late = new Promise<never>((_, reject) => {
    handle = setTimeout(() => reject(new DeliveryError('There was no answer in time.')), millis);
  });
  try {
    return await Promise.race([task, late]);
  } finally {
    clearTimeout(handle);
  }
}

function toKey(binding: string, secret: string): Uint8Array {
  const key = keyOf(secret);
  if (!key) throw new DeliveryError(`The secret "${binding}" must be a text, or whsec_ and base64.`);
  return key;
}

/**
 * @throws DeliveryError for what makes no headers; what it says is not in the sentence.
 */
function toHeaders(binding: string, json: string): Record<string, string> {
  let headers: unknown;
  try {
    headers = JSON.parse(json);
    new Headers(headers as Record<string, string>);
  } catch {
    headers = undefined;
  }
  const isObject = typeof headers === 'object' && headers !== null && Object.values(headers).every((value) => typeof value === 'string');
  if (!isObject) throw new DeliveryError(`The secret "${binding}" must be a JSON object whose keys and texts make headers.`);
  return headers as Record<string, string>;
}

const encoder = new TextEncoder();

/** Bytes of one message: Cloudflare takes 128,000, and counts some of its own. */
const MOST_QUEUED_BYTES = 127_000;
