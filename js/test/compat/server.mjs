// The server of the applications under test: our Broker behind ws, which the applications can have cut, closed and opened, and
// which notes what the server and another client see of them.

import { createServer } from 'node:http';
import { once } from 'node:events';
import { Broker } from 'mqlite/broker';
import mqttPacket from 'mqtt-packet';
import { WebSocketServer } from 'ws';

/** Starts it on a free port. */
export async function startServer(context) {
  // Each by itself: what came first on different connections is nobody's promise.
  const seen = { messages: [], connections: [], subscriptions: [] };
  const broker = await Broker.open({ authenticate });
  const sockets = new Set();
  let isOpen = true;
  const orders = {
    nothing: () => {},
    cut: () => sockets.forEach((socket) => socket.terminate()),
    close: () => (isOpen = false),
    open: () => (isOpen = true),
    publish: ({ topic, payload, options }) => broker.publish(topic, payload, options),
    subscriptions: () => broker.statistics().subscriptions,
  };
  const http = createServer(async (request, response) => {
    const body = [];
    for await (const part of request) body.push(part);
    const answer = await orders[request.url.slice(1)](JSON.parse(Buffer.concat(body).toString()));
    response.end(JSON.stringify(answer ?? null));
  });
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => offered.has('mqtt') && 'mqtt' });
  http.on('upgrade', (request, socket, head) => {
    if (!isOpen) return socket.destroy();
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      sockets.add(webSocket);
      webSocket.on('close', () => sockets.delete(webSocket));
      note(webSocket, request.url, seen);
      if (request.url !== HANG_UP) broker.accept(webSocket);
    });
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  context.after(() => {
    orders.cut();
    http.closeAllConnections();
    http.close();
    broker.close();
  });
  const observer = await broker.connect({ clientId: 'observer', userName: 'observer' });
  await observer.subscribe('#', { qos: 2, retainAsPublished: true }, ({ topic, payload, qos, retain, properties }) => {
    seen.messages.push([topic, Buffer.from(payload).toString(), qos, retain, properties]);
  });
  return { url: `ws://127.0.0.1:${http.address().port}/`, seen };
}

/** Notes how the clients come and go, and what they ask for. */
function note(webSocket, path, { connections, subscriptions }) {
  const parser = mqttPacket.parser();
  parser.on('packet', (packet) => {
    const { cmd, clientId, reasonCode = 0, properties } = packet;
    if (cmd === 'connect') connections.push([cmd, path, clientId, connectOptions(packet)]);
    if (cmd === 'connect' && path === HANG_UP) webSocket.close();
    if (cmd === 'disconnect') connections.push([cmd, reasonCode]);
    // Filter by filter, because a packet may have several.
    for (const asked of packet.subscriptions ?? []) subscriptions.push([cmd, asked, properties?.userProperties]);
    for (const filter of packet.unsubscriptions ?? []) subscriptions.push([cmd, filter]);
  });
  webSocket.on('message', (data) => parser.parse(data));
}

/** What a CONNECT says, without the limits of its library. */
function connectOptions({ clean, keepalive, username, password, will, protocolVersion, properties = {} }) {
  const { receiveMaximum, maximumPacketSize, topicAliasMaximum, sessionExpiryInterval, ...said } = properties;
  const message = will && { ...will, payload: will.payload.toString() };
  const expiry = sessionExpiryInterval || 0;
  return { clean, keepalive, username, password: password?.toString(), protocolVersion, will: message, ...said, expiry };
}

/** Who is let in, and to what. */
function authenticate({ userName, password }) {
  if (userName === 'stranger') return { type: 'deny', reason: 0x87 };
  if (password && Buffer.from(password).toString() === 'wrong') return { type: 'deny', reason: 0x86 };
  if (userName === 'limited') return { type: 'allow', grants: [{ filter: 'open/#' }, { filter: 'half/#', maximumQos: 1 }] };
  return { type: 'allow' };
}

/** Where nobody is answered. */
const HANG_UP = '/hang-up';
