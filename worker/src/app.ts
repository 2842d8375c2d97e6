// The routes of the Worker: what a request needs is checked here, and not in the object, which would have to be woken for it.

import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { checkUpgrade, isRefusal } from './access/bearer.js';
import type { Environment } from './environment.js';
import { TICKET } from './guests.js';
import { addApi, secured } from './http/api.js';
import { consoleFile } from './http/console.js';
import { Failure, failureOf } from './http/failure.js';
import { Log } from './log.js';
import { DEFAULT_ROOM, isRoom, NO_ROOM, ROOM_NAME } from './room.js';
import { settingsOf } from './settings.js';

export const app = new Hono<{ Bindings: Environment }>({ strict: true });

app.get('/mqtt', (context) => upgrade(context, DEFAULT_ROOM));
app.get('/mqtt/:room{[^/]*}', (context) => upgrade(context, context.req.param('room')));
addApi(app);
app.notFound(async ({ req, env }) => (await consoleFile(req.raw, env)) ?? secured(NOTHING.toResponse()));

async function upgrade({ req: request, env, text }: Context<{ Bindings: Environment }>, room: string): Promise<Response> {
  if (!isRoom(room)) return text(`${ROOM_NAME}\n`, 400);
  if (request.header('Upgrade')?.toLowerCase() !== 'websocket') {
    return text('Open a WebSocket here, with the subprotocol mqtt.\n', 426);
  }
  // [MQTT-6.0.0-3]
  const offered = request.header('Sec-WebSocket-Protocol')?.split(',') ?? [];
  if (!offered.some((protocol) => protocol.trim() === 'mqtt')) return text('The WebSocket subprotocol must be mqtt.\n', 400);
  const settings = settingsOf(env.SETTINGS, room);
  if (settings.closed) return text(`${NO_ROOM}\n`, 404);
  const checked = await checkUpgrade(withoutTicket(request.raw), env, settings, room);
  if (isRefusal(checked)) return text(`${checked.error}\n`, checked.status, checked.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {});
  return env.BROKER.getByName(room)
    .fetch(checked)
    .catch((error: unknown) => {
      const { message, status, headers } = failureOf(error, new Log(room, settings.log));
      return text(`${message}\n`, status as ContentfulStatusCode, headers);
    });
}

/** Who has a ticket has the stub of the room, and comes by that. */
function withoutTicket(request: Request): Request {
  if (!request.headers.has(TICKET)) return request;
  const without = new Request(request);
  without.headers.delete(TICKET);
  return without;
}

const NOTHING = new Failure(404, 'There is nothing here. MQTT over WebSocket is at /mqtt and /mqtt/ROOM, and /openapi.json describes the rest.');
