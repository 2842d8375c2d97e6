// Looking at clients, and disconnecting them.

import type { Call } from './api.js';
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
