// Whom the clients of the rows talk to: our broker, in this process, over WebSocket.
import { once } from 'node:events';
import { Broker } from 'mqlite/broker';
import { WebSocketServer } from 'ws';

export async function startPeer() {
  const broker = await Broker.open();
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => broker.accept(socket));
  await once(server, 'listening');
  return {
    address: `ws://127.0.0.1:${server.address().port}/mqtt`,
    async stop() {
      await broker.close();
      server.close();
    },
  };
}
