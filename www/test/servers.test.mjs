// Connections to servers that are not the one in the page: what a profile says reaches them, and what they may do instead of answering.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { after, describe, test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { Connection } from '../src/model/connection.ts';
import { decodePacket } from '../src/model/packet-fields.ts';
import { newProfile } from '../src/model/profile.ts';
import { WireLog } from '../src/model/wire-log.ts';
import { problemText } from '../src/views/shell/problem-text.ts';
import { scramServer } from './scram-server.mjs';

// Some wait for what does not come.
describe('a connection', { concurrency: true }, () => {
  const ends = [];
  after(() => Promise.all(ends.map((end) => end())));

  /** To a broker of these options in this process. */
  async function toBroker(options, profile) {
    const broker = await Broker.open(options);
    const connection = new Connection(1, newProfile(profile), { socket: () => broker.webSocket() }, new WireLog());
    ends.push(async () => {
      await connection.close();
      await broker.close();
    });
    return { broker, connection };
  }

  /** To this port. */
  function toPort(port) {
    const connection = new Connection(1, newProfile({ server: `ws://127.0.0.1:${port}/mqtt`, clientId: 'a' }), null, new WireLog());
    ends.push(() => connection.close());
    return connection;
  }

  /** A server that accepts a WebSocket and says this, whatever it is told. */
  async function webSocketServer(frame) {
    const sockets = [];
    const server = createHttpServer().on('upgrade', (request, socket) => {
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: mqtt'];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.on('error', () => {}); // it is cut below
      socket.write(frame);
      sockets.push(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: server.address().port, sockets };
  }

  test('says in CONNECT all that its profile says', async () => {
    const properties = {
      sessionExpiryInterval: 60,
      receiveMaximum: 7,
      maximumPacketSize: 5_000,
      topicAliasMaximum: 3,
      requestResponseInformation: true,
      requestProblemInformation: false,
      userProperties: [['a', '1'], ['a', '2']],
    };
    const { connection } = await toBroker({}, { clientId: 'full', keepAlive: 33, properties });
    await connection.connect();
    const { wire } = connection;
    const connect = Array.from({ length: wire.length }, (_, index) => wire.numbered(index)).find(({ kind }) => kind === 'packet');
    const all = (fields) => fields.flatMap((field) => [field, ...all(field.fields ?? [])]);
    const said = all(decodePacket(connect.bytes, 5).fields).map(({ name, value }) => `${name}: ${value}`);
    for (const line of [
      'Keep Alive: 33', 'Session Expiry Interval: 60', 'Receive Maximum: 7', 'Maximum Packet Size: 5000', 'Topic Alias Maximum: 3',
      'Request Response Information: 1', 'Request Problem Information: 0',
    ]) assert.ok(said.some((each) => each.startsWith(line)), `${line}\n${said.join('\n')}`);
    assert.equal(said.filter((each) => each.startsWith('User Property')).length, 2, said.join('\n'));
  });

  test('keeps to what it said: a longer message stays away, and no alias is higher', async () => {
    const properties = { ...newProfile().properties, maximumPacketSize: 200, topicAliasMaximum: 1 };
    const { broker, connection } = await toBroker({}, { clientId: 'small', properties, subscriptions: [{ filter: '#', qos: 0 }] });
    await connection.connect();
    for (const [topic, length] of [['long', 300], ['one', 10], ['two', 10], ['one', 10]]) await broker.publish(topic, new Uint8Array(length));
    await until(() => connection.messages.length === 3);
    assert.deepEqual([0, 1, 2].map((index) => connection.messages.at(index).topic), ['one', 'two', 'one']);
  });

  test('proves its password with SCRAM-SHA-256, also to look up what is retained', async () => {
    const authenticate = scramServer({ ada: 'lovelace' });
    const profile = { clientId: 'prover', userName: 'ada', password: 'lovelace', authentication: 'scram' };
    const { broker, connection } = await toBroker({ authenticate }, profile);
    await connection.connect();
    assert.equal(connection.status.value, 'connected');
    await broker.publish('kept', 'x', { retain: true });
    assert.deepEqual((await connection.retained('kept')).messages.map(({ topic }) => topic), ['kept']);
    const { wire } = connection;
    for (let number = 0; number < wire.length; number += 1) {
      const { bytes } = wire.numbered(number);
      assert.ok(!bytes || !new TextDecoder().decode(bytes).includes('lovelace'), 'the password was sent');
    }
    await connection.end();
    connection.adopt(newProfile({ ...profile, password: 'babbage' }));
    await connection.connect();
    assert.equal(connection.status.value, 'disconnected');
    assert.equal(connection.problem.value.error.reason, 0x86);
  });

  test('is given up while nothing answers at all', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connection = toPort(server.address().port);
    const accepted = once(server, 'connection');
    const attempt = connection.connect();
    const [socket] = await accepted;
    socket.on('error', () => {});
    const isClosed = once(socket.resume(), 'close');
    await connection.end();
    assert.deepEqual([connection.status.value, connection.problem.value], ['disconnected', null]);
    await isClosed;
    server.close();
    await attempt;
    assert.deepEqual([connection.status.value, connection.problem.value], ['disconnected', null]);
  });

  test('is given up while a WebSocket is open and the server does not answer', async () => {
    const { port, sockets } = await webSocketServer('');
    const connection = toPort(port);
    const attempt = connection.connect();
    await until(() => sockets.length === 1);
    const isClosed = once(sockets[0].resume(), 'close');
    await until(() => connection.party.attempt.value === 1);
    await connection.end();
    sockets[0].end(); // what a server does when the client says that it closes
    await isClosed;
    await attempt;
    assert.deepEqual([connection.status.value, connection.problem.value], ['disconnected', null]);
  });

  for (const [what, frame, hint] of [
    ['nothing', '', /^The server did not answer in time/],
    ['text', '\x81\x05hello', /^The server closed the connection without a word/],
    ['bytes that are no packet', '\x82\x02\x00\x00', /^A rule of the protocol was broken, or this is no MQTT server/],
    ['bytes that are the begin of one', '\x82\x05hello', /^The server did not answer in time/],
  ]) {
    test(`says what may be wrong where the server says ${what}`, async () => {
      const { port } = await webSocketServer(Buffer.from(frame, 'latin1'));
      const connection = toPort(port);
      await connection.connect();
      assert.equal(connection.status.value, 'disconnected');
      const { text, hints } = problemText(connection.problem.value, connection.profile.server);
      assert.match(text, /^There is no connection to ws:/);
      assert.match(hints[0], hint);
    });
  }
});

/** Waits for a condition, for as long as the test may take. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
