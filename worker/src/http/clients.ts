// Looking at clients, disconnecting and tracing them.

import type { Call } from './api.js';
import { event, eventStream, HEARTBEAT, HEARTBEAT_MILLIS } from './event.js';
import { Failure } from './failure.js';
import { Query } from './query.js';

/** `GET /clients` */
export async function listClients({ request, room }: Call): Promise<Response> {
  const query = new Query(request.url, ['limit', 'after']);
  const limit = query.number('limit', 1, 1_000) ?? 100;
  const after = query.text('after');
  const { items, next } = await room.clients({ limit, ...(after !== undefined && { after }) });
  return Response.json({ clients: items, ...(next !== undefined && { next }) });
}

/** `DELETE /clients/ID` */
export async function disconnect({ request, room, parameter }: Call): Promise<Response> {
  const endSession = new Query(request.url, ['session']).choice('session', ['keep', 'end']) === 'end';
  if (await room.kick(parameter('clientId'), { endSession })) return new Response(null, { status: 204 });
  throw new Failure(404, endSession ? 'There is no such client, connected or not.' : 'No such client is connected.');
}

/** `GET /clients/ID/trace` */
export async function trace({ request, caller, room, parameter }: Call): Promise<Response> {
  const seconds = new Query(request.url, ['seconds']).number('seconds', 1, 600) ?? 60;
  const left = caller.expiresAt === undefined ? seconds : Math.ceil((caller.expiresAt - Date.now()) / 1_000);
  const lines = await room.trace(parameter('clientId'), Math.max(1, Math.min(seconds, left)));
  return eventStream(toEvents(lines));
}

/** Each line as an event, and a heartbeat where nothing else comes. */
function toEvents(lines: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const decoder = new TextDecoder();
  let rest = '';
  let beat: ReturnType<typeof setInterval>;
  const events: Transformer<Uint8Array, Uint8Array> = {
    start(controller) {
      // A reader that has taken all wants more: only then it gets one.
      beat = setInterval(() => (controller.desiredSize ?? 0) > 0 && controller.enqueue(HEARTBEAT), HEARTBEAT_MILLIS);
      // Shows that it has begun.
      controller.enqueue(HEARTBEAT);
    },
    transform(piece, controller) {
      const pieces = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = pieces.pop() ?? '';
      for (const line of pieces) {
        const said = JSON.parse(line);
        controller.enqueue('dropped' in said ? event('dropped', said.dropped) : event('packet', said));
      }
    },
    flush(controller) {
      clearInterval(beat);
      controller.enqueue(event('end', {}));
    },
    cancel: () => clearInterval(beat),
  };
  return lines.pipeThrough(new TransformStream(events, {}, { highWaterMark: 1 }));
}
