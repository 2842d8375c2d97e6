// A WebSocket client over a socket of its own, which can do what a well-behaved one cannot: read nothing, write halves of
// frames, go without a word. Knows no MQTT.

import { connect } from 'node:net';

/** The opcodes of RFC 6455, with FIN. */
export const TEXT = 0x81;
export const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;

/**
 * Opens `path` at a port of this machine. `received` takes the bytes of each message, `closed` is called once, when the
 * server closes it or the connection is gone, with whether it had opened; `signal` ends the wait for an answer. Resolves when it is open; rejects with what the server said instead.
 */
export function openWebSocket(port, path, { headers = {}, signal, received = () => {}, closed = () => {} } = {}) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const lines = Object.entries({ ...HANDSHAKE, Host: `127.0.0.1:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return new Promise((resolve, reject) => {
    let isClosed = false;
    const end = () => {
      if (isClosed) return;
      isClosed = true;
      closed(client.isOpen);
      client.isOpen = false;
    };
    const client = new WebSocketClient(socket, received, end);
    let head = '';
    const onhead = (data) => {
      head += data.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onhead);
      if (!head.startsWith('HTTP/1.1 101')) {
        socket.destroy();
        return reject(new Error(head.slice(0, head.indexOf('\r\n'))));
      }
      client.isOpen = true;
      signal?.removeEventListener('abort', giveUp);
      socket.on('data', (more) => client.take(more));
      if (head.length > end + 4) client.take(Buffer.from(head.slice(end + 4), 'latin1'));
      resolve(client);
    };
    socket.on('data', onhead);
    socket.on('error', () => {});
    const giveUp = () => client.isOpen || socket.destroy();
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.on('close', () => {
      reject(new Error('The connection was closed before it opened.'));
      end();
    });
  });
}

class WebSocketClient {
  isOpen = false;
  /** The code and reason of the server's Close frame. */
  code;
  #received;
  #closed;
  #rest;

  constructor(socket, received, closed) {
    this.socket = socket;
    this.#received = received;
    this.#closed = closed;
  }

  /** Sends one binary message. False when the system's buffer is full. */
  send(bytes) {
    return this.socket.write(frame(BINARY, bytes));
  }

  /** Begins the closing handshake: what was sent before is heard before it is answered. */
  close() {
    this.socket.write(frame(CLOSE, Buffer.from([0x03, 0xe8])));
  }

  /** Goes without a word. */
  destroy() {
    this.socket.destroy();
  }

  /** Reads nothing more: the system's buffers fill, then those of the server. */
  pause() {
    this.socket.pause();
  }

  take(data) {
    let bytes = this.#rest ? Buffer.concat([this.#rest, data]) : data;
    this.#rest = undefined;
    while (bytes.length >= 2) {
      const short = bytes[1] & 0x7f;
      const begin = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < begin) break;
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : bytes.readUInt32BE(6);
      if (bytes.length < begin + length) break;
      this.#heard(bytes[0], bytes.subarray(begin, begin + length));
      bytes = bytes.subarray(begin + length);
    }
    if (bytes.length > 0) this.#rest = bytes;
  }

  #heard(opcode, content) {
    if (opcode === PING) this.socket.write(frame(PONG, content));
    else if (opcode !== CLOSE) this.#received(content);
    else {
      this.code = content.length >= 2 ? content.readUInt16BE(0) : 1005;
      this.socket.end(frame(CLOSE, content.subarray(0, 2)));
      this.#closed();
    }
  }
}

/** A frame as a client writes it. The mask is zero, which leaves the content as it is. */
export function frame(opcode, content) {
  const { length } = content;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.alloc(size + 4 + length);
  bytes[0] = opcode;
  bytes[1] = 0x80 | (size === 2 ? length : size === 4 ? 126 : 127);
  if (size === 4) bytes.writeUInt16BE(length, 2);
  if (size === 10) bytes.writeUInt32BE(length, 6);
  bytes.set(content, size + 4);
  return bytes;
}

const HANDSHAKE = {
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Protocol': 'mqtt',
};
