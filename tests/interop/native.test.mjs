// `mqlite serve`, used by clients that nobody here wrote: MQTT.js over TCP and WebSocket, mosquitto's over TCP.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import mqtt from 'mqtt';
import { linesOfAll, Mosquitto } from './mosquitto.mjs';
import { scenarios } from './scenarios.mjs';
import { startServer, UNHURRIED } from './server.mjs';

let server;
before(async () => (server = await startServer({ options: UNHURRIED })));
after(async () => assert.equal(await server.stop(), 0));

for (const scheme of ['mqtt', 'ws']) {
  describe(`MQTT.js over ${scheme}://`, () => {
    for (const { name, run } of scenarios) test(name, () => run((options) => mqtt.connect(server[scheme], options)));
  });
}

for (const version of ['311', '5']) {
  describe(`mosquitto's clients, -V ${version}`, () => {
    const mosquitto = (body) => () => Mosquitto.use(new URL(server.mqtt), version, body);

    for (const qos of [0, 1, 2]) {
      test(`QoS ${qos} messages arrive once and in order`, mosquitto(async ({ publish, subscribe }) => {
        const subscriber = await subscribe(['-t', 'tide/+', '-q', qos, '-F', '%q %r %t %p']);
        for (const payload of ['1', '2', '3']) await publish(['-t', 'tide/low', '-q', qos, '-m', payload]);
        await publish(['-t', 'tide/end', '-q', qos, '-m', 'end']);
        assert.deepEqual(await subscriber.lines(4), [
          ...['1', '2', '3'].map((payload) => `${qos} 0 tide/low ${payload}`),
          `${qos} 0 tide/end end`,
        ]);
      }));
    }

    test('many messages of one publisher arrive in order', mosquitto(async ({ publish, subscribe }) => {
      const payloads = Array.from({ length: 500 }, (_, number) => `${number}`);
      const subscriber = await subscribe(['-t', 'count', '-q', 2]);
      await publish(['-t', 'count', '-q', 2, '-l'], payloads.join('\n'));
      assert.deepEqual(await subscriber.lines(500), payloads);
    }));

    test('a retained message waits for subscribers until it is cleared', mosquitto(async ({ publish, listen }) => {
      await publish(['-t', 'kept/a', '-q', 1, '-r', '-m', 'old']);
      await publish(['-t', 'kept/a', '-q', 1, '-r', '-m', 'new']);
      await publish(['-t', 'kept/b', '-q', 1, '-r', '-m', 'other']);
      const retained = ['-t', 'kept/#', '--retained-only', '-F', '%r %t %p'];
      assert.deepEqual((await listen([...retained, '-C', 2])).sort(), ['1 kept/a new', '1 kept/b other']);
      await publish(['-t', 'kept/a', '-q', 1, '-r', '-n']);
      assert.deepEqual(await listen([...retained, '-C', 1]), ['1 kept/b other']);
    }));

    for (const qos of [0, 1, 2]) {
      test(`a will of QoS ${qos} is published when its client is killed`, mosquitto(async ({ subscribe }) => {
        const watcher = await subscribe(['-t', 'will', '-q', 2, '-F', '%q %r %p']);
        const will = ['--will-topic', 'will', '--will-payload', 'last word', '--will-qos', qos];
        const doomed = await subscribe(['-t', 'other', ...will]);
        await doomed.kill();
        assert.deepEqual(await watcher.lines(1), [`${qos} 0 last word`]);
      }));
    }

    test('a retained will greets those who come later', mosquitto(async ({ subscribe, listen }) => {
      const watcher = await subscribe(['-t', 'will']);
      const will = ['--will-topic', 'will', '--will-payload', 'gone', '--will-retain'];
      await (await subscribe(['-t', 'other', ...will])).kill();
      await watcher.lines(1);
      assert.deepEqual(await listen(['-t', 'will', '--retained-only', '-F', '%r %p', '-C', 1]), ['1 gone']);
    }));

    test('a will is forgotten when its client leaves in order', mosquitto(async ({ publish, subscribe, listen }) => {
      const watcher = await subscribe(['-t', 'will']);
      await publish(['-t', 'other', '-q', 1, '-r', '-m', 'enough']);
      await listen(['-t', 'other', '-C', 1, '--will-topic', 'will', '--will-payload', 'never']);
      await publish(['-t', 'will', '-q', 1, '-m', 'end']);
      assert.deepEqual(await watcher.lines(1), ['end']);
    }));

    test('each message of a shared subscription reaches one member', mosquitto(async ({ publish, subscribe }) => {
      const members = [];
      for (let number = 0; number < 3; number++) members.push(await subscribe(['-t', '$share/crew/job', '-q', 1]));
      const payloads = Array.from({ length: 30 }, (_, number) => `${number}`);
      await publish(['-t', 'job', '-q', 1, '-l'], payloads.join('\n'));
      const heard = await linesOfAll(members, payloads.length);
      assert.deepEqual(heard.flat().sort(), [...payloads].sort());
      assert(heard.every((lines) => lines.length > 0), `everybody has work: ${heard.map((lines) => lines.length)}`);
    }));

    test('what a member left unacknowledged goes to another, in order', mosquitto(async ({ publish, subscribe }) => {
      const job = ['-t', '$share/crew/job', '-q', 1, '-F', '%q %r %p'];
      const frozen = await subscribe(job);
      frozen.freeze();
      for (const payload of ['1', '2', '3']) await publish(['-t', 'job', '-q', 1, '-m', payload]);
      const other = await subscribe(job);
      await frozen.kill();
      assert.deepEqual(await other.lines(3), ['1 0 1', '1 0 2', '1 0 3']);
    }));

    test('what was not acknowledged comes again, in order', mosquitto(async ({ publish, subscribe, listen, id }) => {
      const expiry = version === '5' ? ['-x', 300] : [];
      const session = ['-c', '-i', id('diver'), '-t', 'depth', '-q', 1, ...expiry];
      const frozen = await subscribe(session);
      frozen.freeze();
      for (const payload of ['1', '2', '3']) await publish(['-t', 'depth', '-q', 1, '-m', payload]);
      await frozen.kill();
      assert.deepEqual(await listen([...session, '-C', 3]), ['1', '2', '3']);
    }));

    test('a session keeps what comes while its client is away', mosquitto(async ({ publish, subscribe, listen, id }) => {
      const session = ['-c', '-i', id('diver'), '-t', 'depth', '-q', 2, ...(version === '5' ? ['-x', 300] : [])];
      await (await subscribe(session)).leave();
      for (const qos of [1, 2]) await publish(['-t', 'depth', '-q', qos, '-m', `QoS ${qos}`]);
      assert.deepEqual(await listen([...session, '-C', 2]), ['QoS 1', 'QoS 2']);
    }));

    test('a large message arrives whole', mosquitto(async ({ publish, subscribe }) => {
      const payload = 'x'.repeat(900_000);
      const subscriber = await subscribe(['-t', 'large', '-q', 1]);
      await publish(['-t', 'large', '-q', 1, '-s'], payload);
      assert.equal((await subscriber.lines(1))[0], payload);
    }));
  });
}

describe("mosquitto's clients, MQTT 5 alone", () => {
  const mosquitto = (body) => () => Mosquitto.use(new URL(server.mqtt), '5', body);

  test('properties pass through', mosquitto(async ({ publish, subscribe, topic }) => {
    const subscriber = await subscribe(['-t', 'asked', '-q', 1, '-F', '%C|%R|%D|%P|%p']);
    const properties = [
      ['content-type', 'text/json'],
      ['response-topic', topic('answer')],
      ['correlation-data', 'seven'],
      ['user-property', 'zulu', '1'],
      ['user-property', 'alpha', '2'],
    ].flatMap((property) => ['-D', 'publish', ...property]);
    await publish(['-t', 'asked', '-q', 1, '-m', '{}', ...properties]);
    assert.deepEqual(await subscriber.lines(1), ['text/json|answer|seven|zulu:1 alpha:2|{}']);
  }));

  test('a client may leave in order and still have its will published', mosquitto(async ({ subscribe }) => {
    const watcher = await subscribe(['-t', 'will']);
    const leaving = await subscribe(['-t', 'other', '--will-topic', 'will', '--will-payload', 'farewell']);
    await leaving.leave(); // a mosquitto_sub that is told to end sends DISCONNECT with 0x04
    assert.deepEqual(await watcher.lines(1), ['farewell']);
  }));

  test('a session without an expiry ends with its connection', mosquitto(async ({ publish, subscribe, id }) => {
    const session = ['-c', '-x', 0, '-i', id('brief'), '-t', 'depth', '-q', 1];
    await (await subscribe(session)).leave();
    await publish(['-t', 'depth', '-q', 1, '-m', 'lost']);
    const back = await subscribe(session);
    await publish(['-t', 'depth', '-q', 1, '-m', 'heard']);
    assert.deepEqual(await back.lines(1), ['heard']);
  }));

  test('a message says how long it still lives', mosquitto(async ({ publish, subscribe }) => {
    const subscriber = await subscribe(['-t', 'milk', '-q', 1, '-F', '%E %p']);
    await publish(['-t', 'milk', '-q', 1, '-m', 'x', '-D', 'publish', 'message-expiry-interval', '1000']);
    assert.deepEqual(await subscriber.lines(1), ['1000 x']);
  }));
});
