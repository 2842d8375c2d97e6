// Who is let in with a password: added, told of without it, and removed.

import type { UserChange } from '../access/users.js';
import type { Call } from './api.js';
import { bytesOf, typeOf } from './body.js';
import { Failure } from './failure.js';
import { Query } from './query.js';

/** `GET /users` */
export async function listUsers({ request, room }: Call): Promise<Response> {
  new Query(request.url);
  return Response.json({ users: await room.listUsers() });
}

/** `GET /users/NAME` */
export async function getUser({ request, room, parameter }: Call): Promise<Response> {
  new Query(request.url);
  return Response.json((await room.findUser(parameter('name'))) ?? nobody());
}

/** `PUT /users/NAME` */
export async function putUser({ request, room, parameter }: Call): Promise<Response> {
  new Query(request.url);
  const outcome = await room.putUser(parameter('name'), await changeOf(request));
  if ('error' in outcome) throw new Failure(400, outcome.error);
  return new Response(null, { status: 204 });
}

/** `DELETE /users/NAME` */
export async function deleteUser({ request, room, parameter }: Call): Promise<Response> {
  new Query(request.url);
  return (await room.removeUser(parameter('name'))) ? new Response(null, { status: 204 }) : nobody();
}

/** What is in it is for the room to judge. */
async function changeOf(request: Request): Promise<UserChange> {
  if (typeOf(request) !== 'application/json') throw new Failure(400, 'A user is sent as JSON, with the Content-Type application/json.');
  const bytes = await bytesOf(request, MOST_BYTES, () => new Failure(413, `A user takes ${MOST_BYTES} bytes at most.`));
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    // What is wrong with it might tell the password.
    throw new Failure(400, 'The body is no JSON.');
  }
}

function nobody(): never {
  throw new Failure(404, 'There is no such user.');
}

/** What a room keeps by one name. */
const MOST_BYTES = 65_535;
