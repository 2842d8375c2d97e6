// What may help when a connection does not come about. Browsers do not tell pages why a WebSocket failed: nothing here claims to know.

import { MqttError } from './error.js';

/** What the constructor of a WebSocket threw, in our words. */
export function webSocketRefused(address: URL, cause: unknown): MqttError {
  if (isMixed(address)) {
    return new MqttError('unreachable', 'The browser lets no page that came over HTTPS open a ws: address.', { cause, hint: MIXED });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MqttError('unreachable', `The platform opens no WebSocket to this address: ${why}`, { cause, hint: POLICY });
}

/** Why there is no connection, and what may help. `address` is where it should have gone, if it has an address. */
export function unreachable(why: string, address: URL | undefined, cause?: unknown): MqttError {
  return new MqttError('unreachable', `There is no connection: ${why}.`, { cause, hint: openingHint(address) });
}

/** What may help where the connection was closed before the server said a word of MQTT. */
export const UNANSWERED =
  'It may be the wrong port or path, a server that refuses without a word, or one that knows MQTT 3.1.1 alone: for that there is protocolVersion: 4.';

/** What may help where a server has refused something with this Reason Code. */
export function reasonHint(reason: number | undefined): string | undefined {
  return reason === undefined ? undefined : REASONS[reason];
}

/** What may help who wrote an address that is none. */
export function schemeHint(url: URL | undefined): string {
  const scheme = url?.protocol.slice(0, -1);
  if (scheme === 'http' || scheme === 'https') return `Write ${scheme === 'http' ? 'ws' : 'wss'}:// instead of ${scheme}://.`;
  if (scheme !== undefined && TCP.includes(scheme)) {
    return 'That is MQTT over TCP. Use the address of the server\'s WebSocket listener, such as wss://example.org:8084/mqtt.';
  }
  return 'It begins with ws:// or wss://, and usually ends in /mqtt.';
}

/** Whether it is on this machine, which needs no network, and which browsers trust. */
export function isLocal({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname);
}

function openingHint(address: URL | undefined): string {
  if (address && isMixed(address)) return MIXED;
  const { origin } = globalThis.location ?? {};
  const questions = [
    'the server runs and the address is right, its port and path too',
    'it offers the subprotocol mqtt',
    ...(address?.protocol === 'wss:' ? ['its certificate is valid'] : []),
    ...(origin ? [`it accepts pages from ${origin}`, 'the Content-Security-Policy of this page allows it in connect-src'] : []),
  ];
  return `Look whether ${questions.slice(0, -1).join(', ')}, and whether ${questions.at(-1)}.`;
}

function isMixed(address: URL): boolean {
  return address.protocol === 'ws:' && globalThis.location?.protocol === 'https:' && !isLocal(address);
}

const REASONS: { readonly [reason: number]: string } = {
  0x85: 'The server takes no such clientId: leave it out, and it gives you one.',
  0x86: 'Look at userName and password, or credentials.',
  0x87: 'The user name and password may be wrong or missing, or may not allow this.',
  0x8a: 'The server does not want this client any more: ask who runs it.',
  0x8e: 'Another client has connected with the same clientId: give each its own.',
  0x97: 'A quota of the server is used up: ask for less, or wait.',
  0x9a: 'Publish, and let your will be, without retain.',
  0x9b: 'Publish, and let your will be, with a lower QoS.',
};

const MIXED = 'Use a wss: address, or serve the page over HTTP.';

const POLICY = 'The Content-Security-Policy of the page may forbid it in connect-src.';

const TCP: readonly string[] = ['mqtt', 'mqtts', 'tcp', 'ssl', 'tls'];
