// Who may do what over HTTP: the bearer of the operator's token may do all, that of a JWT what its scopes name.

import type { Grant } from 'mqlite/broker';
import type { Environment } from '../environment.js';
import type { RoomSettings } from '../settings.js';
import { complain } from './complain.js';
import { isSameText } from './equal.js';
import { Failures } from './failures.js';
import { type TokenClaims, type TokenFault, Tokens } from './jwt.js';
import { checkOrigin } from './origins.js';
import { type Scope, SCOPES } from './scopes.js';
import { headerToken, peerAddressOf, tokenOf, withTokenInHeader } from './upgrade.js';

/** Whoever may use the HTTP API of a room. */
export interface Caller {
  /** The `sub` of the token; `admin` for the operator's, which no JWT need be confused with: see `isOperator`. */
  readonly name: string;
  /** Whether this is the bearer of ADMIN_TOKEN. */
  readonly isOperator: boolean;
  readonly scopes: ReadonlySet<Scope>;
  /** What may be published, subscribed to and read. None: all. */
  readonly grants?: readonly Grant[];
  /** When the token expires, in milliseconds since 1970: what goes on for longer, such as a stream of events, ends then. */
  readonly expiresAt?: number;
}

/** Why somebody may not: the status of the answer, and a sentence for it. 401 is answered with `WWW-Authenticate: Bearer`. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly error: string;
}

/** Which tokens count. */
export interface BearerOptions {
  /** Whether `?access_token=` does, for what cannot set a header. Default false. */
  query?: boolean;
}

/** Whether this is a refusal. */
export function isRefusal(outcome: object): outcome is Refusal {
  return 'error' in outcome;
}

/** Who has sent a request, by its bearer token. `settings` are those of the room. */
export async function bearer(
  request: Request,
  environment: Environment,
  settings: RoomSettings,
  room: string,
  { query = false }: BearerOptions = {},
): Promise<Caller | Refusal> {
  const token = query ? tokenOf(request) : headerToken(request);
  if (token === undefined) return NO_TOKEN;
  if (failuresOf(settings).isRefused(undefined, peerAddressOf(request))) return TOO_MANY_FAILURES;
  if (await isAdminToken(token, environment.ADMIN_TOKEN)) return OPERATOR;
  const found = await verify(token, request, environment, settings, room);
  if (isRefusal(found)) return found;
  const { userName, grants = settings.authentication?.grants ?? EVERYTHING, scopes = [], expiresAt } = found;
  return { name: userName, isOperator: false, scopes: new Set(scopes), grants, expiresAt };
}

/**
 * The request to open a WebSocket as the room is to have it, or why it need not be woken: a page from elsewhere, or a token that
 * is not good. The room looks at the token again, as another Worker may have sent the request.
 */
export async function checkUpgrade(request: Request, environment: Environment, settings: RoomSettings, room: string): Promise<Request | Refusal> {
  if (!checkOrigin(request, settings)) return WRONG_ORIGIN;
  const token = tokenOf(request);
  if (token === undefined) return request;
  if (failuresOf(settings).isRefused(undefined, peerAddressOf(request))) return TOO_MANY_FAILURES;
  const found = await verify(token, request, environment, settings, room);
  return isRefusal(found) ? found : withTokenInHeader(request);
}

async function verify(token: string, request: Request, environment: Environment, settings: RoomSettings, room: string): Promise<TokenClaims | Refusal> {
  const found = await new Tokens(settings.authentication?.jwt, environment, room, Date.now).verify(token);
  if (typeof found !== 'string') return found;
  if (found === 'forged') failuresOf(settings).failed(undefined, peerAddressOf(request));
  return FAULTS[found];
}

async function isAdminToken(token: string, admin: string | undefined): Promise<boolean> {
  const isSame = await isSameText(token, admin ?? '');
  const isLong = admin !== undefined && admin.length >= LEAST_ADMIN_TOKEN;
  if (admin !== undefined && !isLong) complain(`ADMIN_TOKEN counts for nothing: it must have ${LEAST_ADMIN_TOKEN} characters at least.`);
  return isSame && isLong;
}

/** Those that are counted for a room: together with all rooms that allow as many. */
function failuresOf({ authentication }: RoomSettings): Failures {
  const perMinute = authentication?.failuresPerMinute ?? FAILURES_PER_MINUTE;
  const known = failures.get(perMinute) ?? new Failures(perMinute, Date.now);
  failures.set(perMinute, known);
  return known;
}

/** By how many are allowed, in this isolate: as many as the settings have numbers. */
const failures = new Map<number, Failures>();

/** Where no number is set. */
const FAILURES_PER_MINUTE = 10;

const OPERATOR: Caller = { name: 'admin', isOperator: true, scopes: new Set(SCOPES) };

const EVERYTHING: readonly Grant[] = [{ filter: '#' }];

const WRONG_ORIGIN: Refusal = { status: 403, error: 'Pages of this origin may not connect here.' };

const NO_TOKEN: Refusal = { status: 401, error: 'Send a token: Authorization: Bearer TOKEN.' };

const TOO_MANY_FAILURES: Refusal = { status: 429, error: 'Too many attempts have failed: wait a minute.' };

const FAULTS: Record<TokenFault, Refusal> = {
  forged: { status: 401, error: 'The token is not valid.' },
  unfit: { status: 401, error: 'The token has expired, or is for somebody else.' },
  elsewhere: { status: 401, error: 'The token is for other rooms.' },
  unavailable: { status: 503, error: 'Tokens cannot be checked just now: try again.' },
};

/** Characters. */
const LEAST_ADMIN_TOKEN = 32;
