// The routes of the HTTP API: what a request needs is checked here, before its room is woken. openapi.json describes them.

import type { Context, Hono } from 'hono';
import { bearer, type Caller, isRefusal } from '../access/bearer.js';
import type { Scope } from '../access/scopes.js';
import type { MqttBroker } from '../broker-object.js';
import type { Environment } from '../environment.js';
import { Log } from '../log.js';
import { DEFAULT_ROOM, isRoom, NO_ROOM, ROOM_NAME } from '../room.js';
import { type RoomSettings, settingsOf } from '../settings.js';
import { disconnect, listClients, trace } from './clients.js';
import { corsHeaders, preflight } from './cors.js';
import { Failure, failureOf } from './failure.js';
import { publish, retained, subscribe } from './messages.js';
import openapi from './openapi.json' with { type: 'json' };
import { backup, metrics, restore } from './operation.js';
import { Query } from './query.js';
import { deleteUser, getUser, listUsers, putUser } from './users.js';

/** A request that may be answered. */
export interface Call {
  readonly request: Request;
  /** Who asks: somebody who has the scope of the route. */
  readonly caller: Caller;
  readonly settings: RoomSettings;
  readonly room: DurableObjectStub<MqttBroker>;
  /** What stands in the path for `{name}`, decoded. */
  parameter(name: string): string;
}

/** What answers one method of a path. */
interface Route {
  /** What the caller needs. None: nobody is asked who it is, and there is no such path below a room. */
  readonly scope?: Scope;
  /** Whether the answer goes on, so that there is no HEAD of it. */
  readonly isStream?: boolean;
  /** Whether the token may be in the address. */
  readonly takesToken?: boolean;
  answer(call: Call): Response | Promise<Response>;
}

type App = Hono<{ Bindings: Environment }>;
type At = Context<{ Bindings: Environment }>;

/** Adds the routes to those of the Worker. */
export function addApi(app: App): void {
  for (const [path, routes] of Object.entries(ROUTES)) {
    app.all(path, (context) => answer(context, DEFAULT_ROOM, routes));
    const isOfRoom = Object.values(routes).some(({ scope }) => scope !== undefined);
    if (isOfRoom) app.all(`/rooms/:room${path}`, (context) => answer(context, context.req.param('room'), routes));
  }
}

/** What every answer has, for a browser that is at it. */
export function secured(response: Response, more: Record<string, string> = {}): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...more })) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}

async function answer(context: At, room: string, routes: Routes): Promise<Response> {
  const request = context.req.raw;
  const settings = settingsOf(context.env.SETTINGS, room);
  const respond = async () => {
    if (!isRoom(room)) throw new Failure(400, ROOM_NAME);
    if (request.method === 'OPTIONS') return preflight(request, settings, methodsOf(routes));
    return call(context, room, settings, routeOf(request.method, routes));
  };
  const response = await respond().catch((error: unknown) => failureOf(error, new Log(room, settings.log)).toResponse());
  return secured(response, corsHeaders(request, settings));
}

async function call(context: At, name: string, settings: RoomSettings, route: Route): Promise<Response> {
  const { env: environment, req } = context;
  if (route.scope !== undefined && settings.closed) throw new Failure(404, NO_ROOM);
  return route.answer({
    request: req.raw,
    caller: await callerOf(req.raw, environment, settings, name, route),
    settings,
    room: environment.BROKER.getByName(name),
    parameter: (of) => req.param(of) ?? '',
  });
}

/** @throws Failure unless the request has a token with the scope of the route. */
async function callerOf(request: Request, environment: Environment, settings: RoomSettings, room: string, route: Route): Promise<Caller> {
  const { scope, takesToken = false } = route;
  if (scope === undefined) return NOBODY;
  const caller = await bearer(request, environment, settings, room, { query: takesToken });
  if (isRefusal(caller)) {
    const headers: Record<string, string> = caller.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {};
    throw new Failure(caller.status, caller.error, { headers });
  }
  if (caller.scopes.has(scope)) return caller;
  const headers = { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` };
  throw new Failure(403, `The token does not have the scope "${scope}".`, { headers });
}

/** @throws Failure that names the methods which there are. */
function routeOf(method: string, routes: Routes): Route {
  const methods = methodsOf(routes);
  const route = methods.includes(method) ? routes[method === 'HEAD' ? 'GET' : method] : undefined;
  if (route) return route;
  throw new Failure(405, `The methods of this path are ${methods.join(', ')}.`, { headers: { Allow: methods.join(', ') } });
}

function methodsOf(routes: Routes): string[] {
  const head = routes.GET && !routes.GET.isStream ? ['HEAD'] : [];
  return [...Object.keys(routes), ...head, 'OPTIONS'];
}

function health({ request }: Call): Response {
  new Query(request.url);
  return Response.json({ status: 'ok' });
}

function description({ request }: Call): Response {
  new Query(request.url);
  return Response.json(openapi);
}

/** The methods of one path. */
type Routes = Readonly<Partial<Record<string, Route>>>;

const ROUTES: { readonly [path: string]: Record<string, Route> } = {
  '/publish': { POST: { scope: 'publish', answer: publish } },
  '/retained': { GET: { scope: 'retained', answer: retained } },
  '/subscribe': { GET: { scope: 'subscribe', isStream: true, takesToken: true, answer: subscribe } },
  '/clients': { GET: { scope: 'clients', answer: listClients } },
  '/clients/:clientId': { DELETE: { scope: 'clients', answer: disconnect } },
  '/clients/:clientId/trace': { GET: { scope: 'trace', isStream: true, answer: trace } },
  '/users': { GET: { scope: 'users', answer: listUsers } },
  '/users/:name': {
    GET: { scope: 'users', answer: getUser },
    PUT: { scope: 'users', answer: putUser },
    DELETE: { scope: 'users', answer: deleteUser },
  },
  '/metrics': { GET: { scope: 'metrics', answer: metrics } },
  '/backup': { GET: { scope: 'backup', answer: backup }, PUT: { scope: 'backup', answer: restore } },
  '/health': { GET: { answer: health } },
  '/openapi.json': { GET: { answer: description } },
};

/** Whoever may do nothing. */
const NOBODY: Caller = { name: '', isOperator: false, scopes: new Set(), grants: [] };

const SECURITY_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
