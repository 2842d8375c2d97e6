import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'mqlite';
import { settled, withBroker } from './support.mjs';

const CONNECT = Uint8Array.from(Buffer.from('100c00044d515454040200000000', 'hex'));

withBroker('It opens by itself, and tells by property and by event', async (broker) => {
  const socket = broker.webSocket();
  const told = [];
  socket.onopen = ({ type, target }) => told.push([type, target === socket]);
  socket.addEventListener('open', ({ type }) => told.push(type));
  assert.equal(socket.readyState, socket.CONNECTING);
  assert.throws(() => socket.send(CONNECT), { name: 'InvalidStateError' });
  await once(socket, 'open');
  assert.equal(socket.readyState, socket.OPEN);
  assert.deepEqual(told, [['open', true], 'open']);
  assert.deepEqual([socket.protocol, socket.bufferedAmount], ['mqtt', 0]);
});

withBroker('It carries buffers, views and their parts, and brings what is asked for', async (broker) => {
  const parts = new Uint8Array([9, ...CONNECT, 9]);
  for (const data of [CONNECT, CONNECT.buffer, new DataView(parts.buffer, 1, CONNECT.length)]) {
    const socket = broker.webSocket();
    socket.binaryType = 'arraybuffer';
    await once(socket, 'open');
    socket.send(data);
    const [message] = await once(socket, 'message');
    assert.equal(Buffer.from(message.data).toString('hex'), '20020000');
  }
  const socket = broker.webSocket();
  await once(socket, 'open');
  socket.send(CONNECT);
  const [message] = await once(socket, 'message');
  assert.equal(Buffer.from(await message.data.arrayBuffer()).toString('hex'), '20020000');
  assert.throws(() => socket.send(new Blob([])), TypeError);
});

withBroker('What is sent belongs to the receiver: the sender may use its buffer again', async (broker) => {
  const socket = broker.webSocket();
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  const buffer = Uint8Array.from(CONNECT);
  socket.send(buffer);
  buffer.fill(0);
  assert.equal(Buffer.from((await once(socket, 'message'))[0].data).toString('hex'), '20020000');
});

withBroker('It closes from either side, once', async (broker) => {
  const ours = broker.webSocket();
  await once(ours, 'open');
  ours.close(3000, 'enough');
  assert.equal(ours.readyState, ours.CLOSING);
  const [{ code, reason, wasClean }] = await once(ours, 'close');
  assert.deepEqual([code, reason, wasClean, ours.readyState], [3000, 'enough', true, ours.CLOSED]);
  ours.close();
  assert.throws(() => ours.close(1001), { name: 'InvalidAccessError' });

  const theirs = broker.webSocket();
  await once(theirs, 'open');
  theirs.send('hello');
  assert.equal((await once(theirs, 'close'))[0].code, 1000);
});

withBroker('It fails as WebSockets do when the broker is closed', async (broker) => {
  broker.close();
  const socket = broker.webSocket();
  const [[error], [close]] = await Promise.all([once(socket, 'error'), once(socket, 'close')]);
  assert.deepEqual([error.type, close.code, close.wasClean, socket.readyState], ['error', 1006, false, socket.CLOSED]);
});

withBroker('A client of ours connects over it like over any WebSocket', async (broker) => {
  const client = await connect(broker.webSocket(), { clientId: 'a' });
  assert.equal((await client.publish('a', 'x', { qos: 2 })).reason, 0x10);
  broker.close();
  assert.equal((await client.ended).reason, 0x8b);
  await settled();
});
