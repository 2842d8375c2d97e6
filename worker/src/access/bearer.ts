// Who may do what over HTTP: the bearer of the operator's token may do all, that of a JWT what its scopes name.

import type { Grant } from 'mqlite/broker';
import type { Environment } from '../environment.js';
import type { RoomSettings } from '../settings.js';
import { isSameText } from './equal.js';
import { Failures } from './failures.js';
import { type TokenFault, Tokens } from './jwt.js';
import { type Scope, SCOPES } from './scopes.js';
import { headerToken, peerAddressOf, tokenOf } from './upgrade.js';

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
export function isRefusal(outcome: Caller | Refusal): outcome is Refusal {
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
  const peer = peerAddressOf(request);
  if (failures.isRefused(undefined, peer)) return TOO_MANY_FAILURES;
  if (await isAdminToken(token, environment.ADMIN_TOKEN)) return OPERATOR;
  const found = await new Tokens(settings.authentication?.jwt, environment, room, Date.now).verify(token);
  if (typeof found === 'string') {
    if (found === 'forged') failures.failed(undefined, peer);
    return FAULTS[found];
  }
  const { userName, grants = settings.authentication?.grants ?? EVERYTHING, scopes = [], expiresAt } = found;
  return { name: userName, isOperator: false, scopes: new Set(scopes), grants, expiresAt };
}

async function isAdminToken(token: string, admin: string | undefined): Promise<boolean> {
  const isSame = await isSameText(token, admin ?? '');
  const isLong = admin !== undefined && admin.length >= LEAST_ADMIN_TOKEN;
  if (admin !== undefined && !isLong) console.error(`ADMIN_TOKEN counts for nothing: it must have ${LEAST_ADMIN_TOKEN} characters at least.`);
  return isSame && isLong;
}

/** Of all rooms, in this isolate. */
const failures = new Failures(10, Date.now);

const OPERATOR: Caller = { name: 'admin', isOperator: true, scopes: new Set(SCOPES) };

const EVERYTHING: readonly Grant[] = [{ filter: '#' }];

const NO_TOKEN: Refusal = { status: 401, error: 'Send a token: Authorization: Bearer TOKEN.' };

const TOO_MANY_FAILURES: Refusal = { status: 429, error: 'Too many attempts have failed: wait a minute.' };

const FAULTS: Record<TokenFault, Refusal> = {
  forged: { status: 401, error: 'The token is not valid.' },
  unfit: { status: 401, error: 'The token has expired, or is for somebody else.' },
  elsewhere: { status: 403, error: 'The token is for other rooms.' },
  unavailable: { status: 503, error: 'Tokens cannot be checked just now: try again.' },
};

/** Characters. */
const LEAST_ADMIN_TOKEN = 32;
