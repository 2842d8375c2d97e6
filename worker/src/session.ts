// MQTT with a room from the Worker's own code: a client over a WebSocket that never leaves the platform. While nothing comes the
// room sleeps, as it does beside its other clients.

import { type Client, type ConnectOptions, connect, MqttError, type Transport } from 'mqlite/broker';
import type { MqttBroker } from './broker-object.js';
import { type Identity, TICKET } from './guests.js';

/** What is said of a session, besides what a client says. */
export interface SessionOptions extends Omit<ConnectOptions, 'userName' | 'password' | 'credentials' | 'authentication' | 'reconnect' | 'redirect'> {
  /** Who the client is. Default: nobody in particular, who may do all. */
  readonly identity?: Identity;
}

/**
 * Connects to a room as a client: the way to subscribe from a Worker. It is let in as `identity` says, without credentials: the
 * caller knows who it is. It ends with its connection, as when the room is deployed anew or the Worker's request is over; a
 * session with a Session Expiry Interval waits in the room for whoever connects with its Client Identifier and `cleanStart: false`.
 *
 * ```ts
 * const client = await session(environment.BROKER.getByName('default'));
 * await client.subscribe('boats/+/position', { qos: 1 }, (message) => console.log(message.topic, message.text()));
 * ```
 *
 * To publish alone, `publish` of the room takes less.
 *
 * @param room - The stub of a room.
 * @param options - The identity, and what a client of `mqlite` can be told.
 * @throws MqttError `refused` with a Reason Code, such as 0x97 beyond a limit, `unreachable`, or `invalid-options`.
 */
export async function session(room: Pick<DurableObjectStub<MqttBroker>, 'fetch' | 'admit'>, options: SessionOptions = {}): Promise<Client> {
  const { identity = {}, keepAlive = 0, ...rest } = options;
  const ticket = await room.admit(identity);
  const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'mqtt', [TICKET]: ticket };
  const { webSocket, status } = await room.fetch('https://room/mqtt', { headers });
  if (!webSocket) throw new MqttError('unreachable', `The room answered ${status} and opened no WebSocket.`);
  return connect(toTransport(webSocket), { ...rest, keepAlive, redirect: false });
}

/** The platform's WebSocket has no `onmessage`. */
function toTransport(socket: WebSocket): Transport {
  const transport: Transport = {
    onmessage: null,
    onclose: null,
    send: (bytes) => socket.send(bytes),
    close: () => socket.close(),
  };
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => transport.onmessage?.({ data }));
  socket.addEventListener('close', () => transport.onclose?.());
  socket.addEventListener('error', () => transport.onclose?.());
  socket.accept();
  return transport;
}
