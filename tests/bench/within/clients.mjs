// The client libraries: functions that load one and give `connect(far)`, which resolves with `subscribe(filter, qos, hear)` and
// `publish(topic, payload, qos, done)`. The far end of the connection hears bytes by `far.hear`, and gives them by `far.give`, which
// is set here. `hear` gets topic and payload of a message; `done` is called when the library says that the message is dealt with.

import { Line } from './line.mjs';

/** MQlite over a stream. */
export async function mqlite() {
  const connect = await openMqlite();
  return (far) => {
    const line = lineTo(far);
    return connect(
      (bytes) => line.write(bytes),
      (hear) => line.on('data', hear),
    );
  };
}

/** MQlite by a transport alone: an object with `send` and `onmessage`. */
export async function mqliteAlone() {
  const connect = await openMqlite();
  return (far) =>
    connect(
      (bytes) => far.hear(bytes),
      (hear) => (far.give = hear),
    );
}

async function openMqlite() {
  const { connect } = await import('../../../js/dist/index.js');
  return async (send, hearing) => {
    const transport = { send, close() {}, onmessage: null, onclose: null };
    const message = { data: undefined };
    hearing((bytes) => {
      message.data = bytes;
      transport.onmessage(message);
    });
    const client = await connect(transport, { protocolVersion: 4, keepAlive: 0, clientId: 'bench' });
    return {
      subscribe: (filter, qos, hear) => client.subscribe(filter, { qos }, ({ topic, payload }) => hear(topic, payload)),
      publish: (topic, payload, qos, done) => client.publish(topic, payload, { qos }).then(done),
    };
  };
}

/** MQTT.js over a stream, with callbacks: its promises are made of these. */
export async function mqttJs() {
  const { default: mqtt } = await import('mqtt');
  return async (far) => {
    const line = lineTo(far);
    const client = new mqtt.MqttClient(() => line, { protocolVersion: 4, keepalive: 0, clientId: 'bench', reconnectPeriod: 0 });
    await new Promise((resolve) => client.once('connect', resolve));
    return {
      subscribe: async (filter, qos, hear) => {
        client.on('message', hear);
        await client.subscribeAsync(filter, { qos });
      },
      publish: (topic, payload, qos, done) => client.publish(topic, payload, { qos }, done),
    };
  };
}

function lineTo(far) {
  const line = new Line((bytes) => far.hear(bytes), true);
  far.give = (bytes) => line.push(bytes);
  return line;
}
