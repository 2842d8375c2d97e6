// The routes of the Worker: what a request needs is checked here, and not in the object, which would have to be woken for it.

import { type Context, Hono } from 'hono';
import { checkOrigin } from './access/origins.js';
import type { Environment } from './environment.js';
import { isRoom, ROOM_NAME } from './room.js';
import { settingsOf } from './settings.js';

/** The room behind paths without a name. */
export const DEFAULT_ROOM = 'default';

export const app = new Hono<{ Bindings: Environment }>({ strict: true });

app.get('/mqtt', (context) => upgrade(context, DEFAULT_ROOM));
app.get('/mqtt/:room{[^/]*}', (context) => upgrade(context, context.req.param('room')));
app.notFound((context) => context.text('MQTT over WebSocket is at /mqtt and /mqtt/ROOM.\n', 404));

function upgrade({ req: request, env, text }: Context<{ Bindings: Environment }>, room: string): Response | Promise<Response> {
  if (!isRoom(room)) return text(`${ROOM_NAME}\n`, 400);
  if (request.header('Upgrade')?.toLowerCase() !== 'websocket') {
    return text('Open a WebSocket here, with the subprotocol mqtt.\n', 426);
  }
  // [MQTT-6.0.0-3]
  const offered = request.header('Sec-WebSocket-Protocol')?.split(',') ?? [];
  if (!offered.some((protocol) => protocol.trim() === 'mqtt')) return text('The WebSocket subprotocol must be mqtt.\n', 400);
  if (!checkOrigin(request.raw, settingsOf(env.SETTINGS, room))) return text('Pages of this origin may not connect here.\n', 403);
  return env.BROKER.getByName(room).fetch(request.raw);
}
