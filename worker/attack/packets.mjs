// The MQTT 5 packets that the attack's clients send, and a splitter of what they hear. Knows no socket.

/** CONNECT with a clean start and a session that ends with its connection. */
export function connect(clientId, { userName, password, expiry = 0, receiveMaximum } = {}) {
  const flags = 0x02 | (userName === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const properties = [
    ...(expiry ? [Buffer.from([0x11]), uint32(expiry)] : []),
    ...(receiveMaximum ? [Buffer.from([0x21]), uint16(receiveMaximum)] : []),
  ];
  return packet(0x10, [
    text('MQTT'),
    Buffer.from([5, flags, 0, 0]),
    length(byteLength(properties)),
    ...properties,
    text(clientId),
    ...(userName === undefined ? [] : [text(userName)]),
    ...(password === undefined ? [] : [text(password)]),
  ]);
}

/** SUBSCRIBE with one filter and Packet Identifier 1. */
export const subscribe = (filter, qos) => packet(0x82, [uint16(1), Buffer.from([0]), text(filter), Buffer.from([qos])]);

/** PUBLISH; `id` is used for QoS 1 and 2. */
export function publish(topic, payload, { qos = 0, id = 0, retain = false } = {}) {
  return packet(0x30 | (qos << 1) | (retain ? 1 : 0), [text(topic), ...(qos ? [uint16(id)] : []), Buffer.from([0]), payload]);
}

/** PUBACK with 0x00. */
export const puback = (id) => Buffer.from([0x40, 2, id >> 8, id & 0xff]);

export const PINGREQ = Buffer.from([0xc0, 0]);

/** A whole packet: its fixed header with the right Remaining Length, and `parts`. */
export const packet = (first, parts) => Buffer.concat([Buffer.from([first]), length(byteLength(parts)), ...parts]);

/** A Variable Byte Integer. */
export function length(value) {
  const bytes = [];
  for (; value > 0x7f; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}

/** A UTF-8 Encoded String. */
export const text = (value) => Buffer.concat([uint16(Buffer.byteLength(value)), Buffer.from(value)]);

export const uint16 = (value) => Buffer.from([value >> 8, value & 0xff]);

const uint32 = (value) => Buffer.from([value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]);

const byteLength = (parts) => parts.reduce((sum, part) => sum + part.length, 0);

/** Calls `heard(first, content)` for each whole packet of a stream that comes in pieces. */
export class Splitter {
  #heard;
  #rest;

  constructor(heard) {
    this.#heard = heard;
  }

  push(data) {
    let bytes = this.#rest ? Buffer.concat([this.#rest, data]) : data;
    this.#rest = undefined;
    for (;;) {
      let begin = 1;
      let size = 0;
      while (begin < bytes.length && bytes[begin] & 0x80) size |= (bytes[begin++] & 0x7f) << (7 * (begin - 2));
      if (begin >= bytes.length) break;
      size |= bytes[begin++] << (7 * (begin - 2));
      if (bytes.length < begin + size) break;
      this.#heard(bytes[0], bytes.subarray(begin, begin + size));
      bytes = bytes.subarray(begin + size);
    }
    if (bytes.length > 0) this.#rest = bytes;
  }
}
