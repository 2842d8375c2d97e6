// Another Worker that decides about messages before they are published. Knows no broker.

import type { Publisher, ReviewDecision, ReviewedMessage } from 'mqlite/broker';
import { unbase64 } from './base64.js';
import { type JsonMessage, toJson } from './message-json.js';

/** Which messages are reviewed, and by whom. */
export interface ReviewSettings {
  /** A Topic Filter. */
  readonly filter: string;
  /** The binding of a Service, whose `fetch` gets a POST with a `ReviewRequest`. Without one the object's own `review` decides. */
  readonly service?: string;
  /** Milliseconds that a review may take. Default 5,000. */
  readonly timeoutMillis?: number;
  /** What becomes of a message whose review fails, or takes longer: `refuse` is 0x83. Default `refuse`. */
  readonly fallback?: 'accept' | 'drop' | 'refuse';
}

/** What the Service is asked. It answers with a `ReviewAnswer` as JSON. */
export interface ReviewRequest extends JsonMessage {
  readonly room: string;
  readonly clientId: string;
  readonly userName?: string;
}

/** What the Service answers. */
export type ReviewAnswer =
  | { readonly type: 'accept' }
  | { readonly type: 'drop' }
  /** With a Reason Code from 0x80. Default 0x87 Not authorized. */
  | { readonly type: 'refuse'; readonly reason?: number }
  /** Published with another topic, another payload, or both. */
  | { readonly type: 'rewrite'; readonly topic?: string; readonly payload?: string; readonly payloadBase64?: string };

/** Asks a Service. What it does not answer in time it is asked no longer: the room would not sleep meanwhile. */
export function reviewer(fetcher: Fetcher, room: string, timeoutMillis: number = TIMEOUT_MILLIS) {
  return async (message: ReviewedMessage, publisher: Publisher): Promise<ReviewDecision> => {
    const abort = new AbortController();
    const late = setTimeout(() => abort.abort(), timeoutMillis);
    try {
      return await ask(fetcher, { room, ...publisher, ...toJson(message) }, abort.signal);
    } finally {
      clearTimeout(late);
    }
  };
}

async function ask(fetcher: Fetcher, question: ReviewRequest, signal: AbortSignal): Promise<ReviewDecision> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetcher.fetch('https://mqlite.invalid/review', { method: 'POST', headers, body: JSON.stringify(question), signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`The Service that reviews messages answered ${response.status}.`);
  }
  return toDecision(await response.json<ReviewAnswer & { payloadBase64?: string }>());
}

function toDecision({ payloadBase64, ...answer }: ReviewAnswer & { payloadBase64?: string }): ReviewDecision {
  if (answer.type !== 'rewrite' || payloadBase64 === undefined) return answer;
  const payload = unbase64(payloadBase64);
  if (!payload) throw new Error('The payloadBase64 of a review is no base64.');
  return { ...answer, payload };
}

/** The broker's own default. */
const TIMEOUT_MILLIS = 5_000;
