// A WebSocket client that costs the load generator little: frames are read where they lie, and made once. Knows no MQTT.

import { connect } from 'node:net';

/** Opens `path`; `received` takes the content of each binary message, valid during the call alone. */
export function openWebSocket(port, path, received) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  );
  return new Promise((resolve, reject) => {
    let rest;
    let isOpen = false;
    socket.on('data', (data) => {
      let bytes = rest ? Buffer.concat([rest, data]) : data;
      rest = undefined;
      if (!isOpen) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return void (rest = bytes);
        const status = bytes.subarray(9, 12).toString();
        if (status !== '101') return socket.destroy(new Error(`The server answered ${status}.`));
        isOpen = true;
        resolve(socket);
        bytes = bytes.subarray(end + 4);
      }
      let at = 0;
      while (bytes.length - at >= 2) {
        const short = bytes[at + 1] & 0x7f;
        const begin = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
        if (bytes.length < begin) break;
        const end = begin + (short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6));
        if (bytes.length < end) break;
        if (bytes[at] === CLOSE) return socket.destroy(new Error('The server closed the WebSocket.'));
        if (bytes[at] === BINARY) received(bytes, begin, end);
        at = end;
      }
      if (at < bytes.length) rest = bytes.subarray(at);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The connection was closed.')));
  });
}

/** A frame as a client writes it. The mask is zero, which leaves the content as it is. */
export function frame(content) {
  const { length } = content;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.alloc(size + 4 + length);
  bytes[0] = BINARY;
  bytes[1] = 0x80 | (size === 2 ? length : size === 4 ? 126 : 127);
  if (size === 4) bytes.writeUInt16BE(length, 2);
  if (size === 10) bytes.writeUInt32BE(length, 6);
  bytes.set(content, size + 4);
  return bytes;
}

const BINARY = 0x82;
const CLOSE = 0x88;
