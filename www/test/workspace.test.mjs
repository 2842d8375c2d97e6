// Connections to the broker in the page, as the page has them: over crashes of the broker, and with what a profile says.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { Connection } from '../src/model/connection.ts';
import { InTabBroker } from '../src/model/in-tab-broker.ts';
import { newProfile, newWill } from '../src/model/profile.ts';
import { WireLog } from '../src/model/wire-log.ts';

describe('connections to the broker in the page', () => {
  let wire, broker, connections;

  beforeEach(async () => {
    wire = new WireLog();
    broker = new InTabBroker(wire);
    connections = [];
    await broker.open();
    assert.equal(broker.status.value, 'open');
  });

  afterEach(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await broker.sensors.stop();
    broker.kill();
  });

  async function connect(known) {
    const connection = new Connection(connections.length + 1, newProfile(known), broker, wire);
    connections.push(connection);
    await connection.connect();
    return connection;
  }

  test('subscribe to what the profile says, and log what comes and goes', async () => {
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: 'x/#', qos: 1 }] });
    assert.deepEqual(connection.subscriptions.value.map(({ filter, granted, colour }) => [filter, granted, colour]), [['x/#', 1, 0]]);
    assert.equal(await connection.publish({ topic: 'x/1', payload: new TextEncoder().encode('hi'), qos: 2, retain: true }), true);
    await until(() => connection.messages.length === 2);
    const [first, second] = [0, 1].map((index) => connection.messages.at(index)).sort((one, other) => (one.direction < other.direction ? -1 : 1));
    assert.deepEqual([first.direction, first.qos, second.direction, second.qos], ['received', 1, 'sent', 2]);
    assert.equal(connection.topics.find('x/1').count, 1);
    assert.ok(wire.length > 4);
  });

  test('keep payloads alone, and not all else that came with them', async () => {
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: 'x/#', qos: 1 }] });
    const client = await broker.running.connect({ clientId: 'b' });
    await Promise.all(Array.from({ length: 20 }, (_, index) => client.publish(`x/${index}`, new Uint8Array(2_000), { qos: 1, retain: true })));
    await until(() => connection.messages.length === 20);
    const logged = Array.from({ length: 20 }, (_, index) => connection.messages.at(index));
    const { messages } = await connection.retained('x/#');
    for (const { topic, payload } of [...logged, ...messages]) assert.equal(payload.buffer.byteLength, 2_000, topic);
    assert.equal(messages.length, 20);
    await client.end();
  });

  test('look up what is retained, and keep their subscriptions and messages as they are', async () => {
    const wanted = { filter: 'house/#', qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 'doNotSend', identifier: 7 };
    const connection = await connect({ clientId: 'a', subscriptions: [wanted, { filter: 'garden/#', qos: 1, retainAsPublished: true }] });
    const client = await broker.running.connect({ clientId: 'b' });
    const say = (topic) => client.publish(topic, 'x', { qos: 1, retain: true });
    await say('house/attic');
    await until(() => connection.messages.length === 1);
    const [first, second] = [connection.retained('house/#'), connection.retained('house/#')];
    await say('garden/gate');
    for (const { messages } of await Promise.all([first, second])) assert.deepEqual(messages.map(({ topic }) => topic), ['house/attic']);
    await until(() => connection.messages.length === 2);
    assert.deepEqual(broker.running.clients().items.map(({ clientId, subscriptions }) => [clientId, subscriptions]), [['a', 2], ['b', 0]]);

    await connection.publish({ topic: 'house/own', payload: new Uint8Array(1), qos: 1 });
    await say('house/cellar');
    await until(() => connection.messages.length === 4);
    const [own, last] = [2, 3].map((index) => connection.messages.at(index));
    assert.deepEqual([own.direction, last.topic, last.retain, last.properties.subscriptionIdentifiers], ['sent', 'house/cellar', true, [7]]);
    await client.end();
  });

  test('say that what is retained could not be looked up', async () => {
    const connection = await connect({ clientId: 'a' });
    broker.kill();
    assert.equal(await connection.retained('house/#'), null);
    const { during, subject } = connection.problem.value;
    assert.deepEqual([during, subject], ['lookUp', 'house/#']);
  });

  test('have no problem with many retained messages at once', async () => {
    await Promise.all(Array.from({ length: 400 }, (_, index) => broker.running.publish(`x/${index}`, 'x', { qos: 1, retain: true })));
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: 'x/#', qos: 1 }] });
    await until(() => connection.messages.length === 400);
    await connection.publish({ topic: 'x', payload: new Uint8Array(1), qos: 1 });
    assert.equal(connection.problem.value, null);
  });

  test('come back after a crash, with what the broker had stored', async () => {
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: '#', qos: 1 }] });
    await connection.publish({ topic: 'kept', payload: new Uint8Array(1), qos: 1, retain: true });
    broker.kill();
    await until(() => connection.status.value === 'waiting');
    assert.equal(connection.problem.value.during, 'connection');
    await broker.restore();
    await until(() => connection.status.value === 'connected');
    assert.equal(connection.problem.value, null);
    const later = await connect({ clientId: 'b', subscriptions: [{ filter: 'kept', qos: 0 }] });
    await until(() => later.messages.length === 1);
    assert.equal(later.messages.at(0).retain, true);
  });

  test('log what waited for them in their session', async () => {
    const properties = { ...newProfile().properties, sessionExpiryInterval: 60 };
    const connection = await connect({ clientId: 'a', cleanStart: false, properties, subscriptions: [{ filter: 'x', qos: 1 }] });
    await connection.end();
    await broker.running.publish('x', 'waited', { qos: 1 });
    await connection.connect();
    await until(() => connection.messages.length === 1);
  });

  test('are given up while they connect, and take nothing of what their session kept', async () => {
    const properties = { ...newProfile().properties, sessionExpiryInterval: 60 };
    const connection = await connect({ clientId: 'a', cleanStart: false, properties, subscriptions: [{ filter: 'x', qos: 1 }] });
    await connection.end();
    await broker.running.publish('x', 'waited', { qos: 1 });
    connection.faults.setDelay('received', 200);
    const attempt = connection.connect();
    const isThere = () => broker.running.clients().items.some(({ clientId, connected }) => clientId === 'a' && connected);
    await until(isThere);
    await connection.end();
    assert.equal(connection.status.value, 'disconnected');
    connection.adopt(newProfile({ clientId: 'b' }));
    await until(() => !isThere());
    assert.equal(connection.messages.length, 0);
    const heard = [];
    const later = await broker.running.connect({ clientId: 'a', cleanStart: false, onMessage: ({ payload }) => void heard.push(payload) });
    await until(() => heard.length === 1);
    await later.end();
    await attempt; // it ends without a problem
  });

  test('are given up while they wait', async () => {
    const connection = await connect({ clientId: 'a' });
    broker.kill();
    await until(() => connection.status.value === 'waiting');
    await connection.end();
    assert.equal(connection.status.value, 'disconnected');
  });

  test('say that the broker does not run', async () => {
    broker.kill();
    const connection = await connect({ clientId: 'a' });
    assert.equal(connection.status.value, 'disconnected');
    assert.equal(connection.problem.value.error.code, 'unreachable');
  });

  test('keep their subscriptions for the next connection, and forget those that were refused', async () => {
    const connection = await connect({ clientId: 'a' });
    assert.equal(await connection.subscribe({ filter: 'a/+', qos: 2 }), true);
    assert.equal(await connection.subscribe({ filter: 'a/#/b', qos: 0 }), false);
    assert.equal(connection.problem.value.subject, 'a/#/b');
    await connection.end();
    assert.deepEqual(connection.subscriptions.value.map(({ filter, granted }) => [filter, granted]), [['a/+', null]]);
    await connection.connect();
    assert.deepEqual(connection.subscriptions.value.map(({ filter, granted }) => [filter, granted]), [['a/+', 2]]);
    assert.equal(await connection.unsubscribe('a/+'), true);
    assert.deepEqual(connection.subscriptions.value, []);
  });

  test('forget a subscription that the server refuses when they come back, and say so', async () => {
    const open = (grants) => Broker.open({ authenticate: () => ({ type: 'allow', grants }) });
    let server = await open([{ filter: '#' }]);
    const place = { socket: () => server.webSocket() };
    const profile = newProfile({ clientId: 'a', subscriptions: [{ filter: 'x', qos: 1 }, { filter: 'y', qos: 1 }] });
    const connection = new Connection(1, profile, place, wire);
    connections.push(connection);
    await connection.connect();
    await connection.subscribe({ filter: 'y', qos: 0 });
    await server.close();
    server = await open([{ filter: 'y' }]);
    await until(() => connection.problem.value?.during === 'subscribe');
    const { subject, error } = connection.problem.value;
    assert.deepEqual([subject, error.reason], ['x', 0x87]);
    assert.deepEqual(connection.subscriptions.value.map(({ filter, granted }) => [filter, granted]), [['y', 0]]);
    await server.publish('y', '1', { qos: 1 });
    await until(() => connection.messages.length === 1);
    assert.equal(connection.messages.at(0).qos, 0);
    await connection.end();
    assert.deepEqual(connection.problem.value?.subject, 'x');
    await server.close();
  });

  test('say what went wrong until the same is tried again', async () => {
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: 'a/#/b', qos: 0 }] });
    const during = () => connection.problem.value?.during;
    assert.equal(during(), 'subscribe');
    assert.equal(await connection.publish({ topic: 'x', payload: new Uint8Array(1) }), true);
    await connection.unsubscribe('x');
    assert.equal(during(), 'subscribe');
    await connection.subscribe({ filter: 'a/b', qos: 0 });
    assert.equal(during(), undefined);
    connection.faults.cut();
    await until(() => during() === 'connection');
    await until(() => connection.status.value === 'connected');
    assert.equal(during(), undefined);
    assert.equal(await connection.publish({ topic: 'x/#', payload: new Uint8Array(1) }), false);
    assert.equal(await connection.publish({ topic: 'x', payload: new Uint8Array(1) }), true);
    assert.equal(during(), 'publish');
  });

  test('keep the subscriptions made by hand, and not those that were ended, when they connect in another way', async () => {
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: '#', qos: 2 }, { filter: 'b', qos: 0 }] });
    await connection.unsubscribe('#');
    await connection.subscribe({ filter: 'house/#', qos: 1, noLocal: true, identifier: 3 });
    const { colour } = connection.subscriptions.value[1];
    const again = async (protocolVersion) => {
      const next = { ...connection.profileNow, protocolVersion };
      await connection.end();
      connection.adopt(next);
      await connection.connect();
    };
    await again(5);
    assert.deepEqual(connection.subscriptions.value.map(({ filter, granted }) => [filter, granted]), [['b', 0], ['house/#', 1]]);
    const { noLocal, identifier } = connection.subscriptions.value[1];
    assert.deepEqual([noLocal, identifier, connection.subscriptions.value[1].colour], [true, 3, colour]);
    await again(4);
    assert.deepEqual(connection.subscriptions.value.map(({ filter, granted }) => [filter, granted]), [['b', 0], ['house/#', 1]]);
  });

  test('hear the will of one whose connection is cut', async () => {
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: 'gone', qos: 0 }] });
    const other = await connect({ clientId: 'b', reconnect: false, will: newWill({ topic: 'gone', payload: 'b', contentType: 'text/plain' }) });
    other.faults.cut();
    await until(() => connection.messages.length === 1);
    assert.equal(connection.messages.at(0).properties.contentType, 'text/plain');
    await until(() => other.status.value === 'disconnected');
  });

  test('hear the sensors, also after a crash', async () => {
    const connection = await connect({ clientId: 'a', subscriptions: [{ filter: 'sensor/+/temperature', qos: 0 }] });
    await broker.sensors.start();
    await until(() => connection.topics.find('sensor/12/temperature'));
    broker.kill();
    await broker.restore();
    await until(() => connection.status.value === 'connected');
    const { length } = connection.messages;
    await until(() => connection.messages.length > length);
    await broker.sensors.stop();
    assert.deepEqual(wire.parties.value.map(({ kind }) => kind), ['connection']);
  });
});

/** Waits for a condition, for as long as the test may take. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
