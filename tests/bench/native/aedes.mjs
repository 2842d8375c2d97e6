// node aedes.mjs PORT WEB_PORT: aedes with its own persistence in memory, over TCP and WebSocket.
import { Aedes } from 'aedes';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { WebSocketServer, createWebSocketStream } from 'ws';

const [port, webPort] = process.argv.slice(2).map(Number);
const broker = await Aedes.createBroker({ maxInflightInbound: 0, concurrency: 1000 });
createServer({ noDelay: true }, broker.handle).listen({ port, host: '127.0.0.1', backlog: 4096 });
const http = createHttpServer({ noDelay: true }).listen({ port: webPort, host: '127.0.0.1', backlog: 4096 });
new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (socket, request) => {
  broker.handle(createWebSocketStream(socket), request);
});
