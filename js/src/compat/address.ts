// Where a client connects to, and the WebSocket of each attempt.

import { MqttError } from '../error.js';
import type { WebSocketLike } from '../transport.js';
import type { KnownOptions } from './options.js';
import type { IClientOptions } from './types.js';

/**
 * The options, with what a URL says.
 * @throws MqttError `invalid-options` for what is no address of a WebSocket.
 */
export function withAddress(address: string | URL | IClientOptions, options: IClientOptions | undefined): IClientOptions {
  if (typeof address !== 'string' && !(address instanceof URL)) return withAuth({ ...address, ...options });
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw new MqttError('invalid-options', `${JSON.stringify(address)} is no URL.`, { cause, hint: HINT });
  }
  const { hostname, port, pathname, search, username, password } = url;
  return withAuth({
    protocol: url.protocol.slice(0, -1) as 'ws',
    hostname,
    ...(port && { port }),
    path: pathname + search,
    ...(username && { auth: [username, password].map(decodeURIComponent).join(':') }),
    ...(url.searchParams.has('clientId') && { clientId: url.searchParams.get('clientId') as string }),
    ...options,
  });
}

/** The address of an attempt. @throws MqttError `invalid-options`. */
export function toUrl(options: IClientOptions, attempt: number): string {
  const { servers } = options;
  const { protocol, hostname, host, port, path = '/' } = { ...options, ...servers?.[attempt % servers.length] };
  const scheme = protocol ?? options.defaultProtocol;
  if (scheme !== 'ws' && scheme !== 'wss') {
    const name = JSON.stringify(scheme ?? 'mqtt');
    throw new MqttError('invalid-options', `The protocol ${name} is not covered by mqlite/compat.`, { hint: HINT });
  }
  const name = (servers ? host : (hostname ?? host)) ?? 'localhost';
  return `${scheme}://${name}${port === undefined ? '' : `:${port}`}${path.startsWith('/') ? path : `/${path}`}`;
}

/** Opens a WebSocket. @throws MqttError `unsupported`, or what a function of the application throws. */
export function openSocket(url: string, options: KnownOptions): WebSocketLike {
  if (options.createWebsocket) return options.createWebsocket(url, ['mqtt'], options);
  if (typeof WebSocket === 'function') return new WebSocket(url, ['mqtt']);
  throw new MqttError('unsupported', 'This platform has no WebSocket of its own.', {
    hint: 'Pass createWebsocket: (url, protocols) => new WebSocket(url, protocols), with that of the npm package ws.',
  });
}

/** The user name and password in `auth`, unless they are said by themselves. */
function withAuth(options: IClientOptions): IClientOptions {
  const { auth, query } = options;
  if (auth === undefined) return query?.clientId === undefined ? options : { clientId: query.clientId, ...options };
  const colon = auth.indexOf(':');
  const [username, password] = colon < 0 ? [auth, undefined] : [auth.slice(0, colon), auth.slice(colon + 1)];
  return { username, ...(password !== undefined && { password }), ...options };
}

const HINT = 'It begins with ws:// or wss://: this package speaks MQTT over WebSockets, not over TCP or TLS.';
