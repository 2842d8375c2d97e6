// A TCP port before a WebSocket, for clients that speak MQTT over TCP alone.

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Listens on loopback; `url` is where, and `close()` ends it. */
export async function bridgeTo(websocket) {
  const server = createServer((tcp) => {
    const socket = new WebSocket(websocket, 'mqtt');
    socket.binaryType = 'arraybuffer';
    const opened = new Promise((resolve) => (socket.onopen = resolve));
    socket.onmessage = ({ data }) => tcp.write(new Uint8Array(data));
    socket.onclose = () => tcp.end();
    socket.onerror = () => tcp.destroy();
    tcp.on('data', (bytes) => opened.then(() => socket.send(bytes)));
    tcp.on('end', () => opened.then(() => socket.close()));
    tcp.on('error', () => socket.close());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: new URL(`mqtt://127.0.0.1:${server.address().port}`), close: () => server.close() };
}
