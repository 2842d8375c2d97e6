// Publishing, and reading what is retained.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenOf } from './caller.mjs';
import { subscriber } from './mqtt-client.mjs';

export function messages(caller, host) {
  const publish = (query, body, options = {}) => caller.call('POST', '/publish', { query, body, ...options });

  test('A message that is published reaches subscribers as it was sent', async () => {
    const client = await subscriber(caller, host, 'sent/#', { qos: 2 });
    const headers = { 'Content-Type': 'application/json' };
    assert.deepEqual((await publish({ topic: 'sent/json', qos: '1', messageExpiryInterval: '90' }, '{"a":1}', { headers })).json, { reasonCode: 0 });
    await publish({ topic: 'sent/bytes', qos: '2' }, Uint8Array.of(0, 255, 128), { headers: { 'Content-Type': 'application/octet-stream' } });
    await publish({ topic: 'sent/ünï' }, new Uint8Array());
    await publish({ topic: 'sent/curl' }, 'as curl -d does', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    // MQTT.js hands over a message of QoS 2 when it is released, which is after those that came meanwhile.
    const came = new Map((await client.takes(4)).map((message) => [message.topic, message]));
    const [json, bytes, empty, curl] = ['json', 'bytes', 'ünï', 'curl'].map((name) => came.get(`sent/${name}`));
    assert.deepEqual([json.topic, json.qos, json.payload.toString()], ['sent/json', 1, '{"a":1}']);
    assert.equal(json.properties.contentType, 'application/json');
    assert.ok(json.properties.messageExpiryInterval <= 90);
    assert.deepEqual([bytes.topic, bytes.qos, [...bytes.payload]], ['sent/bytes', 2, [0, 255, 128]]);
    assert.equal(bytes.properties?.contentType, undefined);
    assert.deepEqual([curl.payload.toString(), curl.properties?.contentType], ['as curl -d does', undefined]);
    assert.deepEqual([empty.topic, empty.qos, empty.payload.length], ['sent/ünï', 0, 0]);
    await client.end();
  });

  test('Nobody publishes beyond the grants of a token', async () => {
    const token = tokenOf({ scope: 'publish', grants: [{ filter: 'mine/#', maximumQos: 1, retain: false }, { filter: 'read/#', publish: false }] });
    assert.deepEqual((await publish({ topic: 'mine/a' }, 'x', { token })).json, { reasonCode: 0x10 }, 'nobody subscribes to it');
    for (const query of [{ topic: 'yours' }, { topic: 'read/a' }, { topic: '$SYS/a' }]) {
      const { status, json } = await publish(query, 'x', { token });
      assert.deepEqual([status, json.reasonCode], [403, 0x87], JSON.stringify(query));
    }
    assert.equal((await publish({ topic: 'mine/a', retain: 'true' }, 'x', { token })).status, 403);
    assert.equal((await publish({ topic: 'mine/a', qos: '2' }, 'x', { token })).status, 403);
  });

  test('Nobody publishes to $SYS, not even who may do all', async () => {
    for (const topic of ['$SYS', '$SYS/broker/version', '$delayed/5/$SYS/a']) {
      const { status, json } = await publish({ topic, retain: 'true' }, 'x');
      assert.deepEqual([status, json.reasonCode], [403, 0x87], topic);
    }
    assert.equal((await publish({ topic: '$SYSTEM/a' }, 'x')).status, 200);
  });

  test('A payload that no packet holds is refused', async () => {
    const { status, json } = await publish({ topic: 'large' }, new Uint8Array(2 << 20));
    assert.deepEqual([status, json.reasonCode], [413, 0x95]);
  });

  test('Retained messages are found by filter, in order of their topics, and page by page', async () => {
    for (const number of [3, 1, 4, 2, 5]) await publish({ topic: `page/${number}`, retain: 'true', qos: '1' }, `${number}`);
    const all = await caller.call('GET', '/retained', { query: { filter: 'page/+' } });
    assert.deepEqual(all.json.messages.map(({ topic, payload, qos, retain }) => [topic, payload, qos, retain]),
      [1, 2, 3, 4, 5].map((number) => [`page/${number}`, `${number}`, 1, true]));
    assert.equal(all.json.next, undefined);
    const pages = [];
    for (let after; ; ) {
      const { json } = await caller.call('GET', '/retained', { query: { filter: 'page/+', limit: '2', ...(after && { after }) } });
      pages.push(json.messages.map(({ payload }) => payload).join(''));
      after = json.next;
      if (!after) break;
    }
    assert.equal(pages.join(''), '12345');
    assert.ok(pages.every((page) => page.length <= 2));
    await publish({ topic: 'page/3', retain: 'true' }, new Uint8Array());
    assert.equal((await caller.call('GET', '/retained', { query: { filter: 'page/3' } })).json.messages.length, 0);
  });

  test('A retained message has its properties, and base64 where it is no text', async () => {
    await publish({ topic: 'kept/text', retain: 'true', messageExpiryInterval: '900' }, 'ü', { headers: { 'Content-Type': 'text/plain' } });
    await publish({ topic: 'kept/bytes', retain: 'true' }, Uint8Array.of(0xff, 0xfe));
    const { json } = await caller.call('GET', '/retained', { query: { filter: 'kept/#' } });
    const [bytes, text] = json.messages;
    assert.deepEqual([bytes.payloadBase64, 'payload' in bytes], ['//4=', false]);
    assert.deepEqual([text.payload, text.contentType], ['ü', 'text/plain']);
    assert.ok(text.messageExpiryInterval <= 900 && text.messageExpiryInterval > 0);
  });

  test('A token finds what it may subscribe to', async () => {
    for (const topic of ['open/a', 'secret/a']) await publish({ topic, retain: 'true' }, 'x');
    const token = tokenOf({ scope: 'retained', grants: [{ filter: 'open/#' }, { filter: 'secret/#', subscribe: false }] });
    const { json } = await caller.call('GET', '/retained', { token, query: { filter: 'open/+' } });
    assert.deepEqual(json.messages.map(({ topic }) => topic), ['open/a']);
    for (const filter of ['#', '+/a', 'secret/a', '$SYS/#']) {
      const refused = await caller.call('GET', '/retained', { token, query: { filter } });
      assert.deepEqual([refused.status, refused.json.reasonCode], [403, 0x87], filter);
    }
  });
}
