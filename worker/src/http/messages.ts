// Publishing, reading what is retained, and subscribing.

import type { Grant, MessageProperties, QoS, RetainedMessage } from 'mqlite/broker';
import type { Caller } from '../access/bearer.js';
import type { Identity } from '../guests.js';
import { toJson } from '../message-json.js';
import type { Call } from './api.js';
import { bytesOf, typeOf } from './body.js';
import { eventStream } from './event.js';
import { Failure, refused } from './failure.js';
import { Query } from './query.js';
import { readEvents } from './reader.js';

/** `POST /publish` */
export async function publish({ request, caller, settings, room }: Call): Promise<Response> {
  const query = new Query(request.url, ['topic', 'qos', 'retain', 'messageExpiryInterval']);
  const topic = query.needed('topic');
  const qos = (query.number('qos', 0, 2) ?? 0) as QoS;
  const retain = query.choice('retain', ['false', 'true']) === 'true';
  const messageExpiryInterval = query.number('messageExpiryInterval', 0, 0xffff_ffff);
  if (SYS.test(topic)) throw refused(NOT_AUTHORIZED, 'Nobody publishes to $SYS: the broker alone does.');
  const contentType = typeOf(request);
  const properties: MessageProperties = {
    ...(messageExpiryInterval !== undefined && { messageExpiryInterval }),
    ...(contentType !== undefined && !NO_TYPE.has(contentType) && { contentType: request.headers.get('Content-Type') ?? contentType }),
  };
  const most = Math.min(settings.limits?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE, MOST_OF_CALL);
  const payload = await bytesOf(request, most, () => refused(PACKET_TOO_LARGE, `A payload has ${most} bytes at most, and a little less.`));
  const { reason } = await room.publish(topic, payload, { qos, retain, properties, ...rightsOf(caller) });
  return Response.json({ reasonCode: reason });
}

/** `GET /retained` */
export async function retained({ request, caller, room }: Call): Promise<Response> {
  const query = new Query(request.url, ['filter', 'limit', 'after']);
  const filter = query.needed('filter');
  const limit = query.number('limit', 1, 1_000) ?? 100;
  const after = query.text('after');
  const { items, next } = await room.retained(filter, { limit, ...(after !== undefined && { after }), ...rightsOf(caller) });
  return Response.json({ messages: (items as RetainedMessage[]).map((message) => toJson({ ...message, retain: true })), ...(next !== undefined && { next }) });
}

/** `GET /subscribe` */
export async function subscribe({ request, caller, settings, room }: Call): Promise<Response> {
  const query = new Query(request.url, ['qos', 'access_token'], ['filter']);
  const filters = query.list('filter', MOST_FILTERS);
  const qos = (query.number('qos', 0, 1) ?? 1) as 0 | 1;
  const lastEventId = request.headers.get('Last-Event-ID') ?? undefined;
  const maximumInFlight = settings.limits?.maximumInFlight ?? MAXIMUM_IN_FLIGHT;
  if (caller.expiresAt !== undefined && caller.expiresAt <= Date.now()) throw new Failure(401, 'The token has expired.');
  return eventStream(await readEvents(room, { filters, qos, identity: identityOf(caller), lastEventId, maximumInFlight }));
}

/** On whose behalf the room does something. The operator may do all. */
function rightsOf({ isOperator, name, grants }: Caller): { userName?: string; grants?: Grant[] } {
  return isOperator ? {} : { userName: name, ...(grants && { grants: [...grants] }) };
}

function identityOf(caller: Caller): Identity {
  return { ...rightsOf(caller), ...(caller.expiresAt !== undefined && { expiresAt: caller.expiresAt }) };
}

/** What clients say who have not been told what they send. */
const NO_TYPE: ReadonlySet<string> = new Set(['application/octet-stream', 'application/x-www-form-urlencoded']);

/** Bytes: a call to a room carries 32 MiB, and what else is said of a message is among it. */
const MOST_OF_CALL = 31 << 20;

/** Of one request. */
const MOST_FILTERS = 32;

// The limits where none are set.
const MAXIMUM_PACKET_SIZE = 1 << 20;
const MAXIMUM_IN_FLIGHT = 256;

/** A topic that the broker tells of itself by, at once or later. */
const SYS = /^(\$delayed\/\d+\/)?\$SYS(\/|$)/;

// Reason Codes.
const NOT_AUTHORIZED = 0x87;
const PACKET_TOO_LARGE = 0x95;
