// What an operator looks at and keeps: metrics and backups.

import type { Call } from './api.js';
import { streamOf } from '../stream.js';
import { bytesOf, typeOf } from './body.js';
import { Failure } from './failure.js';
import { METRICS_TYPE, toMetrics } from './metrics.js';
import { Query } from './query.js';

/** `GET /metrics` */
export async function metrics({ request, room }: Call): Promise<Response> {
  new Query(request.url);
  return new Response(toMetrics(await room.stats()), { headers: { 'Content-Type': METRICS_TYPE } });
}

/** `GET /backup` */
export async function backup({ request, room }: Call): Promise<Response> {
  new Query(request.url);
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Disposition': 'attachment; filename="room.mqlite"' };
  return new Response(await room.backup(), { headers });
}

/** `PUT /backup` */
export async function restore({ request, room }: Call): Promise<Response> {
  new Query(request.url);
  if (typeOf(request) !== 'application/octet-stream') {
    throw new Failure(400, 'A backup is sent with the Content-Type application/octet-stream.');
  }
  const file = await bytesOf(request, MOST_BYTES, () => new Failure(413, `A backup has ${MOST_BYTES} bytes at most here.`));
  return Response.json({ rejected: await room.restore(streamOf(file)) });
}

/** The Worker and the room have 128 MB together, and the file is there more than once. */
const MOST_BYTES = 48 << 20;
