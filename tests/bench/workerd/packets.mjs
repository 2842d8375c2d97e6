// The MQTT 5 packets that the load sends. Knows no socket.

/** CONNECT with a clean start; the session outlives its connection by `expiry` seconds. */
export function connect(clientId, expiry = 0) {
  const properties = expiry === 0 ? [0] : [5, 0x11, expiry >>> 24, (expiry >> 16) & 0xff, (expiry >> 8) & 0xff, expiry & 0xff];
  return packet(0x10, [text('MQTT'), Buffer.from([5, 2, 0, 0, ...properties]), text(clientId)]);
}

/** SUBSCRIBE with one filter. */
export const subscribe = (filter, qos) => packet(0x82, [Buffer.from([0, 1, 0]), text(filter), Buffer.from([qos])]);

/** PUBLISH; `id` is used for QoS 1. */
export function publish(topic, payload, qos, id = 0) {
  return packet(0x30 | (qos << 1), [text(topic), Buffer.from(qos > 0 ? [id >> 8, id & 0xff, 0] : [0]), payload]);
}

/** PUBACK with 0x00. */
export const puback = (id) => Buffer.from([0x40, 2, id >> 8, id & 0xff]);

function packet(first, parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  return Buffer.concat([Buffer.from(length < 0x80 ? [first, length] : [first, (length & 0x7f) | 0x80, length >> 7]), content]);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
