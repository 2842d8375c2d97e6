import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import mqtt from 'mqtt';
import mqttPacket from 'mqtt-packet';
import { WebSocket, WebSocketServer } from 'ws';
import { scenarios } from '../../tests/interop/scenarios.mjs';
import { settled, until, withBroker } from './support.mjs';

/** A port whose other side answers CONNECT, and remembers what was sent. */
class RecordingPort {
  onmessage = null;
  sent = [];
  isGone = false;

  postMessage(data) {
    if (this.isGone) throw new Error('It is gone.');
    if (this.sent.length === 0) queueMicrotask(() => this.onmessage({ data: new Uint8Array([0x20, 3, 0, 0, 0]) }));
    this.sent.push(data);
  }

  close() {}
}

withBroker('A MessagePort is a connection, and its end is heard on both sides', async (broker) => {
  for (const who of ['client', 'broker']) {
    const { port1, port2 } = new MessageChannel();
    broker.accept(port1);
    const client = await connect(port2);
    const heard = [];
    await client.subscribe('a', { qos: 1 }, (message) => heard.push(message.text()));
    await client.publish('a', 'x'.repeat(100_000), { qos: 1 });
    await settled();
    assert.equal(heard[0].length, 100_000);
    assert.equal(broker.statistics().clientsConnected, 1);
    if (who === 'client') await client.end();
    else broker.close();
    await client.ended;
    await settled();
    if (who === 'client') assert.equal(broker.statistics().clientsConnected, 0);
  }
});

withBroker('What is sent to a MessagePort while other messages wait to be heard goes as one', async (broker) => {
  const { port1, port2 } = new MessageChannel();
  broker.accept(port1);
  const parser = mqttPacket.parser();
  const heard = [];
  let messages = 0;
  port2.onmessage = ({ data }) => {
    if (data === null) return; // the broker is closed
    messages += 1;
    parser.parse(Buffer.from(data));
  };
  const say = (packet) => port2.postMessage(mqttPacket.generate(packet));
  say({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId: 'c', keepalive: 0 });
  say({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] });
  await new Promise((resolve) => parser.on('packet', ({ cmd }) => cmd === 'suback' && resolve()));
  messages = 0;
  const payloads = Array.from({ length: 200 }, (_, index) => `${index}`);
  const last = new Promise((resolve) => {
    parser.on('packet', ({ payload }) => heard.push(payload.toString()) === payloads.length && resolve());
  });
  for (const payload of payloads) say({ cmd: 'publish', topic: 'a', qos: 0, payload });
  await last;
  assert.deepEqual(heard, payloads);
  assert.ok(messages < 20, `${messages} messages`);
  port2.close();
});

withBroker('A MessagePort is given what goes to it alone', async (broker) => {
  const open = async () => {
    const { port1, port2 } = new MessageChannel();
    broker.accept(port1);
    const heard = [];
    port2.onmessage = ({ data }) => data && heard.push(Buffer.from(data.buffer).toString('hex'));
    port2.postMessage(Buffer.from('100c00044d515454040200000000' + '8206' + '0001' + '000174' + '00', 'hex'));
    await until(() => heard.join('').endsWith('9003000100'));
    return { port2, heard };
  };
  const ends = [await open(), await open()];
  await (await broker.connect()).publish('t', 'x');
  await until(() => ends.every(({ heard }) => heard.at(-1) === '3004' + '000174' + '78'));
  for (const { port2 } of ends) port2.close();
});

test('Much that is sent to a MessagePort in one turn goes as messages of limited size', async () => {
  const port = new RecordingPort();
  const client = await connect(port, { clientId: 'c' });
  const payload = new Uint8Array(20_000);
  for (let count = 0; count < 100; count += 1) client.publish('a', payload);
  await client.end();
  const total = port.sent.reduce((sum, data) => sum + (data?.length ?? 0), 0);
  assert.ok(total > 100 * payload.length, `${total} bytes`);
  for (const data of port.sent) assert.ok((data?.length ?? 0) < 300_000, `${data?.length} bytes in a message`);
});

test('A MessagePort that takes no more is a connection that has ended', async () => {
  const port = new RecordingPort();
  const client = await connect(port, { clientId: 'c' });
  client.publish('a', '1', { qos: 1 }).catch(() => {});
  await null;
  port.isGone = true;
  client.publish('a', '2', { qos: 1 }).catch(() => {});
  await until(() => client.status === 'ended');
  assert.equal((await client.ended).cause, 'lost');
});

withBroker('What is sent to a MessagePort before it is closed is heard', async (broker) => {
  const { port1, port2 } = new MessageChannel();
  broker.accept(port1);
  const client = await connect(port2);
  const heard = [];
  const other = await connect(broker);
  await other.subscribe('a', (message) => heard.push(message.text()));
  for (const payload of ['1', '2', '3']) client.publish('a', payload);
  await client.end();
  await settled();
  assert.deepEqual(heard, ['1', '2', '3']);
});

withBroker('A MessagePort that is gone without a word is a connection that has ended', async (broker) => {
  const { port1, port2 } = new MessageChannel();
  broker.accept(port1);
  await connect(port2);
  port2.close();
  await settled();
  assert.equal(broker.statistics().clientsConnected, 0);
});

describe('Behind a server of the npm package ws', () => {
  let broker, server, url;
  before(async () => {
    broker = await Broker.open();
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: (offered) => offered.has('mqtt') && 'mqtt' });
    server.on('connection', (socket) => broker.accept(socket));
    await once(server, 'listening');
    url = `ws://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    broker.close();
    server.close();
  });

  test('a client of ours crosses', async () => {
    const client = await connect(new WebSocket(url, 'mqtt'));
    const subscription = await client.subscribe('a', { qos: 2 });
    await client.publish('a', 'x', { qos: 2 });
    for await (const message of subscription) {
      assert.equal(message.text(), 'x');
      break;
    }
    await client.end();
  });

  test('a client of ours that is given an address offers the subprotocol mqtt [MQTT-6.0.0-3]', async () => {
    const { WebSocket: own } = globalThis;
    globalThis.WebSocket = WebSocket;
    try {
      const [client, [, request]] = await Promise.all([connect(url), once(server, 'connection')]);
      assert.equal(request.headers['sec-websocket-protocol'], 'mqtt');
      await client.end();
    } finally {
      globalThis.WebSocket = own;
    }
  });

  test('a WebSocket without a DISCONNECT is the end of a client', async () => {
    const socket = new WebSocket(url, 'mqtt');
    const client = await connect(socket, { clientId: 'cut' });
    socket.close();
    await until(() => client.status === 'ended');
  assert.equal((await client.ended).cause, 'lost');
  });

  test('a text message closes with 1003 [MQTT-6.0.0-1]', async () => {
    const socket = new WebSocket(url, 'mqtt');
    await once(socket, 'open');
    socket.send('hello');
    assert.equal((await once(socket, 'close'))[0], 1003);
  });

  test('a server that is not there is unreachable', async () => {
    const attempt = connect(new WebSocket('ws://127.0.0.1:1', 'mqtt'));
    await assert.rejects(attempt, { code: 'unreachable' });
  });

  test('a server that is not there is unreachable, also before anything was loaded', () => {
    const script = `
      import { connect } from 'mqlite/broker';
      import { WebSocket } from 'ws';
      console.log(await connect(new WebSocket('ws://127.0.0.1:1', 'mqtt')).catch(({ code }) => code));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
    });
    assert.equal(stdout, 'unreachable\n', stderr);
  });

  for (const { name, run } of scenarios) {
    test(`MQTT.js: ${name}`, () => run((options) => mqtt.connect(url, options)));
  }
});
