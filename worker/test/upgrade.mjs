// Asks for a WebSocket as a browser does, and tells how that is answered.

import { once } from 'node:events';
import { get } from 'node:http';

/** The answer is a status, the subprotocol and a text; a WebSocket that opens is ended. `headers` come beside those of a WebSocket. */
export async function upgrade({ port }, path, headers = {}) {
  const request = get({ host: '127.0.0.1', port, path, headers: defined({ ...WEBSOCKET, ...headers }) });
  const response = await Promise.race([once(request, 'response'), once(request, 'upgrade')]).then(([it]) => it);
  const answer = { status: response.statusCode, protocol: response.headers['sec-websocket-protocol'] };
  if (answer.status === 101) response.socket.destroy();
  else answer.text = (await response.toArray()).join('');
  return answer;
}

/** Without those headers that are `undefined`. */
function defined(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

const WEBSOCKET = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'mqtt',
};
