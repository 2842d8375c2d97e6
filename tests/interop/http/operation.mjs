// What an operator looks at and keeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, subscriber } from './mqtt-client.mjs';

export function operation(caller, host) {
  test('What /metrics says and what $SYS says agree', async () => {
    await caller.call('POST', '/publish', { query: { topic: 'counted', retain: 'true', qos: '1' }, body: 'x' });
    const client = await subscriber(caller, host, ['$SYS/#', 'counted']);
    const told = new Map();
    while (told.size < Object.keys(SYS).length) {
      const [{ topic, payload }] = await client.takes(1);
      if (topic.startsWith('$SYS/')) told.set(topic.slice('$SYS/broker/'.length), payload.toString());
    }
    const { headers, text } = await caller.call('GET', '/metrics');
    assert.equal(headers.get('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8');
    const metrics = new Map(parsed(text));
    assert.deepEqual([...told.keys()].sort(), Object.keys(SYS).sort(), 'there is no $SYS topic without a metric');
    assert.deepEqual([...metrics.keys()].filter((name) => /^mqlite_info/.test(name)), [`mqlite_info{version="${told.get('version').slice('mqlite '.length)}"}`]);
    for (const [topic, { metric, grows }] of Object.entries(SYS)) {
      if (topic === 'version') continue;
      const [value, said] = [metrics.get(metric), Number(told.get(topic))];
      // What is sent, the $SYS messages themselves among it, what acknowledges it, and time go on meanwhile.
      if (grows) assert.ok(value >= said, `${metric} is ${value}, and ${topic} said ${said}`);
      else assert.equal(value, said, metric);
    }
    await client.end();
  });

  test('Every metric is there once, with a type and a help', async () => {
    const { text } = await caller.call('GET', '/metrics');
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    assert.deepEqual(names, [...new Set(names)]);
    for (const [name] of parsed(text)) {
      const family = name.replace(/\{.*/, '');
      assert.match(text, new RegExp(`^# HELP ${family} \\S.*$`, 'm'));
      assert.match(text, new RegExp(`^# TYPE ${family} ${family.endsWith('_total') ? 'counter' : 'gauge'}$`, 'm'));
    }
    assert.ok(text.endsWith('\n'));
  });

  test('A client that is not who it says it is is counted', async () => {
    const count = async () => new Map(parsed((await caller.call('GET', '/metrics')).text)).get('mqlite_authentication_failures_total');
    const earlier = await count();
    await assert.rejects(connected(host, { username: 'nobody', password: 'wrong-password' }));
    assert.equal(await count(), earlier + 1);
  });

  test('A backup brings back what was there', async () => {
    await caller.call('POST', '/publish', { query: { topic: 'saved', retain: 'true', qos: '1' }, body: 'as it was' });
    const { bytes } = await caller.call('GET', '/backup');
    await caller.call('POST', '/publish', { query: { topic: 'saved', retain: 'true', qos: '1' }, body: 'as it is' });
    const headers = { 'Content-Type': 'application/octet-stream' };
    const wrong = await caller.call('PUT', '/backup', { headers, body: 'no backup' });
    assert.equal(wrong.status, 400);
    assert.deepEqual((await caller.call('PUT', '/backup', { headers, body: bytes })).json, { rejected: 0 });
    const { json } = await caller.call('GET', '/retained', { query: { filter: 'saved' } });
    assert.deepEqual(json.messages.map(({ payload }) => payload), ['as it was']);
  });
}

/** Name and value of each sample. */
function parsed(text) {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name, value] = /^([a-z_]+(?:\{(?:[a-z]+="[^"]*",?)*\})?) (-?[\d.]+)$/.exec(line) ?? assert.fail(`no sample: ${line}`);
    return [name, Number(value)];
  });
}

/** The metric of each topic below `$SYS/broker`. */
const SYS = {
  version: {},
  uptime: { metric: 'mqlite_uptime_seconds', grows: true },
  'clients/connected': { metric: 'mqlite_clients_connected' },
  'clients/maximum': { metric: 'mqlite_clients_maximum' },
  'clients/total': { metric: 'mqlite_sessions' },
  'subscriptions/count': { metric: 'mqlite_subscriptions' },
  'retained messages/count': { metric: 'mqlite_retained_messages' },
  'retained messages/bytes': { metric: 'mqlite_retained_bytes' },
  'messages/stored': { metric: 'mqlite_messages_stored', grows: true },
  'messages/delayed': { metric: 'mqlite_messages_delayed' },
  'messages/received': { metric: 'mqlite_messages_received_total' },
  'messages/sent': { metric: 'mqlite_messages_sent_total', grows: true },
  'messages/dropped': { metric: 'mqlite_messages_dropped_total' },
  'messages/refused': { metric: 'mqlite_messages_refused_total' },
  'bytes/received': { metric: 'mqlite_bytes_received_total', grows: true },
  'bytes/sent': { metric: 'mqlite_bytes_sent_total', grows: true },
  'connections/refused': { metric: 'mqlite_connections_refused_total' },
};
