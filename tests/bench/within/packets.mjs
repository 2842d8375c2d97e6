// MQTT 3.1.1 packets by hand, and what an answer says: enough for a load that every broker understands. Knows no broker.

const text = new TextEncoder();

/** A CONNECT with Clean Session and without Keep Alive. */
export function connect(clientId) {
  return packet(0x10, [...string('MQTT'), 4, 0b10, 0, 0, ...string(clientId)]);
}

export function subscribe(topic, qos) {
  return packet(0x82, [0, 1, ...string(topic), qos]);
}

export function connack() {
  return packet(0x20, [0, 0]);
}

export function suback(id, qos) {
  return packet(0x90, [id >> 8, id & 0xff, qos]);
}

/** A payload of `size` bytes. */
export function publish(topic, qos, id, size) {
  const payload = Array.from({ length: size }, (_, index) => index & 0xff);
  return packet(0x30 | (qos << 1), [...string(topic), ...(qos > 0 ? [id >> 8, id & 0xff] : []), ...payload]);
}

/** Cuts what comes into packets, and calls `take(type, packet identifier)` for each; type is the upper half of the first byte. */
export class Packets {
  #take;
  #rest = new Uint8Array();

  constructor(take) {
    this.#take = take;
  }

  push(chunk) {
    const bytes = this.#rest.length > 0 ? joined([this.#rest, chunk]) : chunk;
    let start = 0;
    for (let end = endOf(bytes, start); end <= bytes.length; end = endOf(bytes, start)) {
      this.#take(bytes[start] >> 4, identifier(bytes, start));
      start = end;
    }
    this.#rest = start < bytes.length ? bytes.slice(start) : EMPTY;
  }
}

/** Where the packet at `start` ends; beyond the bytes where its header is not whole. */
function endOf(bytes, start) {
  let [length, shift, at] = [0, 0, start + 1];
  for (;;) {
    if (at >= bytes.length) return Number.POSITIVE_INFINITY;
    const byte = bytes[at++];
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length;
    shift += 7;
  }
}

/** Of a PUBLISH beyond QoS 0, or of an answer. */
function identifier(bytes, start) {
  let at = start + 1;
  while (bytes[at++] >= 0x80);
  if (bytes[start] >> 4 === PUBLISH) {
    if ((bytes[start] & 0b110) === 0) return 0;
    at += 2 + ((bytes[at] << 8) | bytes[at + 1]);
  }
  return (bytes[at] << 8) | bytes[at + 1];
}

function packet(first, rest) {
  const length = [];
  let remaining = rest.length;
  do {
    length.push((remaining & 0x7f) | (remaining > 0x7f ? 0x80 : 0));
    remaining >>= 7;
  } while (remaining > 0);
  return Uint8Array.from([first, ...length, ...rest]);
}

function string(value) {
  const bytes = text.encode(value);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

export function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const EMPTY = new Uint8Array();

export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
