// Server-Sent Events: of messages, over reconnects and crashes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_TOKEN, tokenOf } from './caller.mjs';
import { EventStream } from './event-stream.mjs';

export function streams(caller, host) {
  const publish = (topic, body, query = {}) => caller.call('POST', '/publish', { query: { topic, qos: '1', ...query }, body });

  /** A stream that has begun. */
  async function subscribe(query, { lastEventId, token } = {}) {
    const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
    const answer = await caller.call('GET', '/subscribe', { query, headers, token });
    assert.equal(answer.status, 200, answer.text);
    return new EventStream(answer.body);
  }

  test('A stream begins with what is retained and goes on with what is published', async () => {
    await publish('stream/kept', 'kept', { retain: 'true' });
    const stream = await subscribe({ filter: ['stream/#', 'other/+'] });
    await publish('stream/text', 'üñ\nline', { messageExpiryInterval: '60' });
    await publish('other/bytes', Uint8Array.of(255));
    await publish('elsewhere', 'x');
    await publish('stream/none', new Uint8Array(), { qos: '0' });
    const events = await stream.take(4);
    const [kept, text, bytes, none] = events.map(({ data }) => JSON.parse(data));
    assert.deepEqual([kept.topic, kept.payload, kept.retain], ['stream/kept', 'kept', true]);
    assert.deepEqual([text.topic, text.payload, text.retain, text.qos], ['stream/text', 'üñ\nline', false, 1]);
    assert.deepEqual([bytes.topic, bytes.payloadBase64], ['other/bytes', '/w==']);
    assert.deepEqual([none.topic, none.payload, none.qos], ['stream/none', '', 0]);
    assert.deepEqual(events.map(({ id }) => id !== undefined), [true, true, true, false]);
    await stream.close();
  });

  test('With QoS 0 no event has an id', async () => {
    const stream = await subscribe({ filter: 'plain', qos: '0' });
    await publish('plain', 'a');
    assert.deepEqual((await stream.take(1)).map(({ id }) => id), [undefined]);
    await stream.close();
  });

  test('What may not be subscribed to is refused before a stream begins', async () => {
    const token = tokenOf({ scope: 'subscribe', grants: [{ filter: 'mine/#' }, { filter: 'written/#', subscribe: false }] });
    for (const filter of ['#', 'yours', 'written/a', '+/a', '$SYS/#', '$share/g/yours']) {
      const { status, json } = await caller.call('GET', '/subscribe', { token, query: { filter: ['mine/a', filter] } });
      assert.deepEqual([status, json.reasonCode], [403, 0x87], filter);
    }
    const stream = await subscribe({ filter: 'mine/#' }, { token });
    await publish('mine/a', 'x');
    assert.deepEqual(await stream.payloads(1), ['x']);
    await stream.close();
  });

  test('A token may be in the query here, and nowhere else', async () => {
    const stream = await subscribe({ filter: 'query', access_token: ADMIN_TOKEN }, { token: null });
    await publish('query', 'x');
    assert.deepEqual(await stream.payloads(1), ['x']);
    await stream.close();
    assert.equal((await caller.call('GET', '/metrics', { token: null, query: { access_token: ADMIN_TOKEN } })).status, 401);
  });

  test('A reader that comes back goes on after its last event, and hears what was published meanwhile', async () => {
    const first = await subscribe({ filter: 'back/#' });
    for (const payload of ['1', '2', '3', '4', '5']) await publish('back/a', payload);
    assert.deepEqual(await first.payloads(5), ['1', '2', '3', '4', '5']);
    await first.close();
    for (const payload of ['6', '7']) await publish('back/b', payload);
    const second = await subscribe({ filter: 'back/#' }, { lastEventId: first.lastEventId });
    assert.deepEqual(await second.payloads(2), ['6', '7']);
    await second.close();
  });

  test('A reader that lost the last events has them again', async () => {
    const first = await subscribe({ filter: 'again' });
    for (const payload of ['1', '2', '3', '4', '5']) await publish('again', payload);
    await first.payloads(2);
    const { lastEventId } = first;
    await first.payloads(3);
    await first.close();
    const second = await subscribe({ filter: 'again' }, { lastEventId });
    assert.deepEqual(await second.payloads(3), ['3', '4', '5']);
    await second.close();
  });

  test('A reader that comes back again and again misses nothing of many messages', async () => {
    const count = 400;
    const heard = [];
    let stream = await subscribe({ filter: 'many' });
    const publishing = (async () => {
      for (let number = 0; number < count; number += 1) await publish('many', `${number}`);
    })();
    while (heard.length < count) {
      heard.push(...(await stream.payloads(Math.min(50, count - heard.length))));
      await stream.close();
      if (heard.length < count) stream = await subscribe({ filter: 'many' }, { lastEventId: stream.lastEventId });
    }
    await publishing;
    assert.deepEqual(heard, Array.from({ length: count }, (_, number) => `${number}`));
  });

  test('A stream that cannot be continued begins with a gap', async () => {
    const first = await subscribe({ filter: 'gap/a' });
    await publish('gap/a', '1');
    await first.payloads(1);
    await first.close();
    const { lastEventId } = first;
    const stranger = tokenOf({ sub: 'stranger', scope: 'subscribe' });
    for (const [query, options] of [
      [{ filter: 'gap/b' }, { lastEventId }],
      [{ filter: ['gap/a', 'gap/b'] }, { lastEventId }],
      [{ filter: 'gap/a' }, { lastEventId, token: stranger }],
      [{ filter: 'gap/a' }, { lastEventId: 'nobody.5' }],
      [{ filter: 'gap/a' }, { lastEventId: 'nonsense' }],
    ]) {
      const stream = await subscribe(query, options);
      await publish('gap/a', '2');
      await publish('gap/b', '2');
      assert.deepEqual(await stream.payloads(2), ['gap', '2']);
      await stream.close();
    }
    const second = await subscribe({ filter: 'gap/a' }, { lastEventId });
    assert.equal((await second.payloads(1))[0], '2', 'the reader itself goes on');
    await second.close();
  });

  test('Nothing is lost when the host is killed', async () => {
    let stream = await subscribe({ filter: 'killed' });
    for (const payload of ['1', '2', '3']) await publish('killed', payload);
    assert.deepEqual(await stream.payloads(2), ['1', '2']);
    const { lastEventId } = stream;
    await host.crash();
    await stream.close();
    await publish('killed', '4');
    stream = await subscribe({ filter: 'killed' }, { lastEventId });
    assert.deepEqual(await stream.payloads(2), ['3', '4']);
    await publish('killed', '5');
    assert.deepEqual(await stream.payloads(1), ['5']);
    await stream.close();
  });
}
