// What a client can connect to, and how a transport comes of it.

import { MqttError } from './error.js';
import { isLocal, schemeHint, webSocketRefused } from './hints.js';
import { type Connectable, pair, toTransport, type Transport } from './transport.js';

/** What accepts connections in this program, as a Broker does. */
export interface Acceptor {
  accept(connectable: Connectable): void;
}

/**
 * What to connect to: the address of a WebSocket, something that is a connection already, something that accepts connections,
 * or a function that is asked for one of these at each attempt.
 */
export type Server = string | URL | Connectable | Acceptor | (() => Server | PromiseLike<Server>);

/** What is not asked for. */
export type Place = string | URL | Connectable | Acceptor;

/** A connection that was begun. */
export interface Opening {
  transport: Transport;
  /** Where it goes, if that has an address. */
  address: URL | undefined;
}

/** Whether it is one connection: when that is over, there is no other. */
export function isConnection(server: Server): server is Connectable {
  return typeof server !== 'string' && typeof server !== 'function' && !(server instanceof URL) && !isAcceptor(server);
}

/** What the functions lead to. */
export async function askServer(server: Server): Promise<Place> {
  let answer = server;
  while (typeof answer === 'function') answer = await answer();
  return answer;
}

/**
 * Begins a connection.
 * @throws MqttError `invalid-options`, `unreachable`, `offline` or `unsupported`, or what an acceptor threw.
 */
export function openServer(server: Place, isOffline: () => boolean): Opening {
  if (typeof server === 'string' || server instanceof URL) return openAddress(toAddress(server), isOffline);
  if (!isAcceptor(server)) return { transport: toTransport(server), address: undefined };
  const [ours, theirs] = pair();
  server.accept(ours);
  return { transport: theirs, address: undefined };
}

/**
 * @throws MqttError `invalid-options` for what is no address of a WebSocket.
 */
export function toAddress(address: string | URL): URL {
  let url: URL | undefined;
  try {
    url = new URL(address);
  } catch {}
  if (url && (url.username !== '' || url.password !== '')) {
    throw new MqttError('invalid-options', 'The address has a user name or password in it, which WebSockets do not send.', {
      hint: 'Use the options "userName" and "password".',
    });
  }
  if (url?.protocol === 'ws:' || url?.protocol === 'wss:') return url;
  throw new MqttError('invalid-options', 'This is no address of a WebSocket.', { hint: schemeHint(url) });
}

function openAddress(address: URL, isOffline: () => boolean): Opening {
  if (isOffline() && !isLocal(address)) {
    throw new MqttError('offline', 'There is no network: the browser says that it is offline.');
  }
  if (typeof WebSocket !== 'function') {
    throw new MqttError('unsupported', 'This platform has no WebSocket of its own.', {
      hint: "Pass a function instead of an address: () => new WebSocket(address, 'mqtt'), with the WebSocket of the npm package ws.",
    });
  }
  try {
    return { transport: toTransport(new WebSocket(address, 'mqtt')), address };
  } catch (cause) {
    throw webSocketRefused(address, cause);
  }
}

/** Connections come first: some platforms' WebSockets have an `accept` too. */
function isAcceptor(server: Connectable | Acceptor | null): server is Acceptor {
  if (typeof server !== 'object' || server === null) return false;
  const isConnectable = 'send' in server || 'postMessage' in server;
  return !isConnectable && typeof (server as Partial<Acceptor>).accept === 'function';
}
