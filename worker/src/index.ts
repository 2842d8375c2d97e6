// The Worker: checks that a request opens an MQTT WebSocket and hands it to the broker of its room. Knows no MQTT.

import type { Environment } from './environment.js';

export { MqttBroker } from './broker-object.js';

/** The room behind `/mqtt` without a name. */
const DEFAULT_ROOM = 'default';

// Refused here and not in the object, which would have to be woken for it.
const handler: ExportedHandler<Environment> = {
  fetch(request, environment) {
    const path = /^\/mqtt(?:\/([^/]*))?$/.exec(new URL(request.url).pathname);
    if (!path) return refuse(404, 'MQTT over WebSocket is at /mqtt and /mqtt/ROOM.');
    const room = path[1] ?? DEFAULT_ROOM;
    if (!/^[\w.-]{1,64}$/.test(room)) {
      return refuse(400, 'A room name is 1 to 64 letters, digits, dots, underscores or hyphens.');
    }
    if (request.headers.get('Upgrade')?.toLowerCase() !== 'websocket') {
      return refuse(426, 'Open a WebSocket here, with the subprotocol mqtt.');
    }
    // [MQTT-6.0.0-3]
    const offered = request.headers.get('Sec-WebSocket-Protocol')?.split(',') ?? [];
    if (!offered.some((protocol) => protocol.trim() === 'mqtt')) {
      return refuse(400, 'The WebSocket subprotocol must be mqtt.');
    }
    return environment.BROKER.getByName(room).fetch(request);
  },
};

export default handler;

function refuse(status: number, sentence: string): Response {
  return new Response(`${sentence}\n`, { status });
}
