// Server-Sent Events as text, as the WHATWG describes them.

/** An event. `data` is told as JSON, which has no line breaks. */
export function event(type: string, data: unknown, id?: string): Uint8Array {
  return encoder.encode(`${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** What shows that the connection is there. Nobody is told of it. */
export const HEARTBEAT = new TextEncoder().encode(':\n\n');

/** The answer that a stream of events is. */
export function eventStream(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
}

/** Milliseconds between two heartbeats. */
export const HEARTBEAT_MILLIS = 15_000;

const encoder = new TextEncoder();
