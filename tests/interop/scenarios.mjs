// What every host of the broker must do for MQTT.js. Runs in Node and in a page alike, so nothing of either is named here.
//
//     for (const { name, run } of scenarios) await run((options) => mqtt.connect(url, options));
//
// `run` resolves when the scenario holds and rejects with the reason when it does not.

import { assert, equal, MqttClients, payloads } from './clients.mjs';

const V3_1_1 = 4;
const V5 = 5;

/** @type {{ name: string, run: (connect: (options: object) => import('mqtt').MqttClient) => Promise<void> }[]} */
export const scenarios = [];

function scenario(versions, name, body) {
  for (const version of versions) {
    const title = `MQTT ${version === V5 ? '5.0' : '3.1.1'}: ${name}`;
    scenarios.push({ name: title, run: (connect) => MqttClients.use(connect, version, body) });
  }
}

for (const qos of [0, 1, 2]) {
  scenario([V3_1_1, V5], `QoS ${qos} messages arrive once, whole and in order`, async (clients) => {
    const [publisher, subscriber] = [await clients.open(), await clients.open()];
    await subscriber.subscribe('count', { qos });
    const sent = Array.from({ length: 200 }, (_, number) => `${number}`);
    while (sent.length > 0) {
      const batch = sent.splice(0, 10); // within any broker's Receive Maximum, of which MQTT.js takes no notice
      await Promise.all(batch.map((payload) => publisher.publish('count', payload, { qos })));
      const heard = await subscriber.messages(batch.length);
      equal(payloads(heard), batch);
      assert(heard.every((message) => message.qos === qos && !message.dup && !message.retain), 'QoS, DUP and RETAIN');
    }
    await subscriber.hearsNothingBefore(publisher, 'count', { qos });
  });

  scenario([V3_1_1, V5], `a QoS ${qos} message may be empty or large`, async (clients) => {
    const [publisher, subscriber] = [await clients.open(), await clients.open()];
    await subscriber.subscribe('size', { qos });
    for (const payload of ['', 'x'.repeat(300_000), '']) {
      await publisher.publish('size', payload, { qos });
      const heard = await subscriber.message();
      assert(heard.payload === payload, `sent ${payload.length} bytes, heard ${heard.payload.length}`);
    }
  });
}

scenario([V3_1_1, V5], 'a message goes down to the QoS of the subscription', async (clients) => {
  const publisher = await clients.open();
  for (const granted of [0, 1, 2]) {
    const subscriber = await clients.open();
    await subscriber.subscribe('least/+', { qos: granted });
    for (const qos of [0, 1, 2]) {
      await publisher.publish(`least/${qos}`, 'x', { qos });
      equal((await subscriber.message()).qos, Math.min(qos, granted));
    }
  }
});

scenario([V3_1_1, V5], 'wildcards match levels', async (clients) => {
  const [publisher, one, many] = [await clients.open(), await clients.open(), await clients.open()];
  await one.subscribe('a/+/c');
  await many.subscribe('a/#');
  for (const topic of ['a', 'a/b/c', 'a/b', 'a//c', 'b', 'a/b/c/d']) await publisher.publish(topic, topic);
  equal(payloads(await one.messages(2)), ['a/b/c', 'a//c']);
  equal(payloads(await many.messages(5)), ['a', 'a/b/c', 'a/b', 'a//c', 'a/b/c/d']);
  await many.hearsNothingBefore(publisher, 'a/end');
  await one.hearsNothingBefore(publisher, 'a/end/c');
});

scenario([V3_1_1, V5], 'nothing comes after an unsubscribe', async (clients) => {
  const [publisher, subscriber] = [await clients.open(), await clients.open()];
  await subscriber.subscribe('kept');
  await subscriber.subscribe('left');
  await publisher.publish('left', 'before');
  equal((await subscriber.message()).payload, 'before');
  await subscriber.unsubscribe('left');
  await publisher.publish('left', 'after');
  await subscriber.hearsNothingBefore(publisher, 'kept');
});

scenario([V3_1_1, V5], 'a retained message waits for subscribers until it is cleared', async (clients) => {
  const [publisher, early] = [await clients.open(), await clients.open()];
  await early.subscribe('kept', { qos: 1 });
  await publisher.publish('kept', 'old', { qos: 1, retain: true });
  await publisher.publish('kept', 'new', { qos: 1, retain: true });
  for (const payload of ['old', 'new']) equal(await early.message(), { topic: 'kept', payload, qos: 1, retain: false });

  const late = await clients.open();
  await late.subscribe('+', { qos: 1 });
  equal(await late.message(), { topic: 'kept', payload: 'new', qos: 1, retain: true });

  await publisher.publish('kept', '', { qos: 1, retain: true });
  equal((await late.message()).payload, '');
  const latest = await clients.open();
  await latest.subscribe('+', { qos: 1 });
  await latest.hearsNothingBefore(publisher, 'other', { qos: 1 });
});

scenario([V3_1_1, V5], 'a will is published when the network fails', async (clients) => {
  const watcher = await clients.open();
  await watcher.subscribe('wills/+', { qos: 2 });
  for (const qos of [0, 1, 2]) {
    const will = { topic: `wills/${qos}`, payload: `last word ${qos}`, qos, retain: qos === 1 };
    const doomed = await clients.open({ will });
    await doomed.cut();
    equal(await watcher.message(), { topic: will.topic, payload: will.payload, qos, retain: false });
  }
  const late = await clients.open();
  await late.subscribe('wills/#', { qos: 2 });
  equal(await late.message(), { topic: 'wills/1', payload: 'last word 1', qos: 1, retain: true });
});

scenario([V3_1_1, V5], 'a will is forgotten when the client leaves in order', async (clients) => {
  const [watcher, publisher] = [await clients.open(), await clients.open()];
  await watcher.subscribe('wills', { qos: 1 });
  const calm = await clients.open({ will: { topic: 'wills', payload: 'never', qos: 1 } });
  await calm.end();
  await watcher.hearsNothingBefore(publisher, 'wills', { qos: 1 });
});

for (const qos of [0, 1, 2]) {
  scenario([V3_1_1, V5], `members of a shared subscription share QoS ${qos} messages`, async (clients) => {
    const publisher = await clients.open();
    const members = [await clients.open(), await clients.open()];
    const outsider = await clients.open();
    for (const member of members) await member.subscribe('jobs', { qos, share: 'crew' });
    for (const member of members) await member.subscribe('end', { qos });
    await outsider.subscribe('jobs', { qos });

    const jobs = Array.from({ length: 60 }, (_, number) => `${number}`);
    for (const job of jobs) await publisher.publish('jobs', job, { qos });
    equal(payloads(await outsider.messages(jobs.length)), jobs);
    await publisher.publish('end', 'end', { qos });
    const shares = [];
    for (const member of members) shares.push(payloads(await member.messagesBefore('end')));
    assert(shares.every((share) => share.length > 0), `both members have work: ${shares.map((share) => share.length)}`);
    equal(shares.flat().sort(), [...jobs].sort());
  });
}

scenario([V3_1_1, V5], 'a session keeps what came while its client was away', async (clients) => {
  const publisher = await clients.open();
  const subscriber = await clients.open({ session: true });
  equal(subscriber.sessionPresent, false);
  await subscriber.subscribe('once', { qos: 1 });
  await subscriber.subscribe('exact', { qos: 2 });
  await subscriber.end();

  await publisher.publish('once', 'one', { qos: 1 });
  await publisher.publish('exact', 'two', { qos: 2 });
  await publisher.publish('once', 'three', { qos: 1 });

  const back = await clients.open({ session: true, clientId: subscriber.clientId });
  equal(back.sessionPresent, true);
  equal(byTopic(await back.messages(3)), { exact: ['two'], once: ['one', 'three'] });
  await back.hearsNothingBefore(publisher, 'exact', { qos: 2 });
  await back.end();

  const fresh = await clients.open({ clientId: subscriber.clientId });
  equal(fresh.sessionPresent, false);
  await fresh.subscribe('end', { qos: 2 });
  await publisher.publish('exact', 'nobody hears it', { qos: 2 });
  await fresh.hearsNothingBefore(publisher, 'end', { qos: 2 });
});

scenario([V3_1_1, V5], 'a session outlives a failed network', async (clients) => {
  const publisher = await clients.open();
  const subscriber = await clients.open({ session: true });
  await subscriber.subscribe('once', { qos: 1 });
  await subscriber.subscribe('exact', { qos: 2 });
  await publisher.publish('exact', 'before', { qos: 2 });
  equal(payloads(await subscriber.messages(1)), ['before']);

  await subscriber.cut();
  for (const payload of ['1', '2', '3']) {
    await publisher.publish('once', payload, { qos: 1 });
    await publisher.publish('exact', payload, { qos: 2 });
  }
  await subscriber.reconnect();
  equal(subscriber.sessionPresent, true);
  equal(byTopic(await subscriber.messages(6)), { exact: ['1', '2', '3'], once: ['1', '2', '3'] });
  await subscriber.hearsNothingBefore(publisher, 'exact', { qos: 2 });
});

scenario([V3_1_1], 'a newcomer with the same client id takes the connection over', async (clients) => {
  const first = await clients.open();
  const closed = first.event('close');
  const second = await clients.open({ clientId: first.clientId });
  await closed;
  await second.subscribe('alive');
  await second.hearsNothingBefore(second, 'alive');
});

scenario([V5], 'a taken over connection hears 0x8E', async (clients) => {
  const first = await clients.open();
  const [told, closed] = [first.event('disconnect'), first.event('close')];
  const second = await clients.open({ clientId: first.clientId });
  equal((await told).reasonCode, 0x8e);
  await closed;
  await second.subscribe('alive');
  await second.hearsNothingBefore(second, 'alive');
});

scenario([V3_1_1, V5], 'whoever breaks the protocol leaves a will', async (clients) => {
  const watcher = await clients.open();
  await watcher.subscribe('wills/+', { qos: 2 });
  // A packet of type 0, one that only a server sends, a second CONNECT.
  for (const [number, bytes] of [[0, 0], [0xd0, 0], [0x10, 0]].entries()) {
    const will = { topic: `wills/${number}`, payload: 'last word', qos: number };
    const doomed = await clients.open({ will });
    const closed = doomed.event('close');
    doomed.write(bytes);
    await closed;
    equal(await watcher.message(), { topic: will.topic, payload: will.payload, qos: will.qos, retain: false });
  }
});

for (const [direction, kind] of [
  ['packetsend', 'publish'],
  ['packetreceive', 'pubrec'],
  ['packetsend', 'pubrel'],
  ['packetreceive', 'pubcomp'],
]) {
  const moment = `${kind.toUpperCase()} is ${direction === 'packetsend' ? 'sent' : 'received'}`;
  scenario([V3_1_1, V5], `a QoS 2 message arrives once although its publisher is cut off when ${moment}`, async (clients) => {
    const [publisher, subscriber] = [await clients.open({ session: true }), await clients.open()];
    await subscriber.subscribe('exact', { qos: 2 });
    const closed = publisher.cutAt(direction, kind);
    const published = publisher.publish('exact', 'x', { qos: 2 });
    await closed;
    await publisher.reconnect();
    await published;
    equal(await subscriber.message(), { topic: 'exact', payload: 'x', qos: 2, retain: false });
    await subscriber.hearsNothingBefore(publisher, 'exact', { qos: 2 });
  });
}

scenario([V3_1_1, V5], 'a newcomer goes on with the QoS 2 handshake of the connection that it takes over', async (clients) => {
  const publisher = await clients.open();
  const first = await clients.open({ session: true });
  await first.subscribe('exact', { qos: 2 });
  first.isSilent = true;
  const received = first.event('packetreceive', (packet) => packet.cmd === 'publish');
  await publisher.publish('exact', 'x', { qos: 2 });
  equal((await received).dup, false);
  const second = await clients.open({ session: true, clientId: first.clientId });
  equal(second.sessionPresent, true);
  equal((({ payload, dup }) => [payload, dup])(await second.message()), ['x', true]);
  await second.hearsNothingBefore(publisher, 'exact', { qos: 2 });
});

scenario([V3_1_1, V5], 'what was not acknowledged comes again, in order', async (clients) => {
  const publisher = await clients.open();
  const subscriber = await clients.open({ session: true });
  await subscriber.subscribe('once', { qos: 1 });
  const sent = ['1', '2', '3', '4', '5'];
  subscriber.isSilent = true;
  const first = subscriber.event('packetreceive', (packet) => packet.cmd === 'publish');
  for (const payload of sent) await publisher.publish('once', payload, { qos: 1 });
  equal((await first).dup, false);
  for (const isSilent of [true, false]) {
    await subscriber.cut();
    subscriber.isSilent = isSilent;
    const again = subscriber.event('packetreceive', (packet) => packet.cmd === 'publish');
    await subscriber.reconnect();
    equal((await again).dup, true);
  }
  const heard = await subscriber.messages(sent.length);
  equal(payloads(heard), sent);
  assert(heard.every(({ dup }) => dup), 'each is marked as sent before');
  await subscriber.hearsNothingBefore(publisher, 'once', { qos: 1 });
});

scenario([V3_1_1, V5], 'what a member of a shared subscription left unacknowledged goes to another', async (clients) => {
  const [publisher, leaving, staying] = [await clients.open(), await clients.open(), await clients.open()];
  await leaving.subscribe('jobs', { qos: 1, share: 'crew' });
  leaving.isSilent = true;
  const received = leaving.event('packetreceive', (packet) => packet.cmd === 'publish');
  const jobs = ['1', '2', '3'];
  for (const job of jobs) await publisher.publish('jobs', job, { qos: 1 });
  await received;
  await staying.subscribe('jobs', { qos: 1, share: 'crew' });
  await leaving.cut();
  const heard = await staying.messages(jobs.length);
  equal(payloads(heard), jobs);
  assert(heard.every(({ dup }) => !dup), 'none was sent to this member before');
  await staying.hearsNothingBefore(publisher, 'jobs', { qos: 1 });
});

scenario([V5], 'a message too large for one subscriber reaches the other', async (clients) => {
  const publisher = await clients.open();
  const small = await clients.open({ properties: { maximumPacketSize: 200 } });
  const large = await clients.open();
  for (const subscriber of [small, large]) await subscriber.subscribe('size', { qos: 2 });
  const payload = 'x'.repeat(300);
  for (const qos of [0, 1, 2]) {
    await publisher.publish('size', payload, { qos });
    equal((await large.message()).payload, payload);
  }
  await small.hearsNothingBefore(publisher, 'size', { qos: 2 });
});

scenario([V5], 'aliases are forgotten with the connection that they were set on', async (clients) => {
  const publisher = await clients.open({ session: true, autoAssignTopicAlias: true });
  const subscriber = await clients.open({ session: true, properties: { topicAliasMaximum: 1 } });
  await subscriber.subscribe('a/long/topic', { qos: 1 });
  const sent = publisher.packets('packetsend', 'publish');
  const received = subscriber.packets('packetreceive', 'publish');
  for (const round of ['one', 'two']) {
    for (const payload of [`${round} in full`, `${round} by alias`]) await publisher.publish('a/long/topic', payload, { qos: 1 });
    equal(payloads(await subscriber.messages(2)), [`${round} in full`, `${round} by alias`]);
    for (const packets of [sent, received]) equal(packets.splice(0).map((packet) => packet.topic !== ''), [true, false]);
    for (const client of [publisher, subscriber]) {
      await client.cut();
      await client.reconnect();
    }
  }
});

scenario([V5], 'a client without an id is assigned one', async (clients) => {
  const [one, other] = [await clients.open({ clientId: '' }), await clients.open({ clientId: '' })];
  const ids = [one, other].map(({ connack }) => connack.properties?.assignedClientIdentifier);
  assert(ids.every((id) => typeof id === 'string' && id.length > 0) && ids[0] !== ids[1], `two ids: ${ids}`);
});

scenario([V5], 'user properties keep their order', async (clients) => {
  const [publisher, subscriber] = [await clients.open(), await clients.open()];
  await subscriber.subscribe('letters', { qos: 1 });
  const userProperties = { zulu: ['1', '3', '2'], alpha: 'ä', '': '' };
  await publisher.publish('letters', 'x', { qos: 1, properties: { userProperties } });
  const heard = (await subscriber.message()).properties.userProperties;
  equal(Object.entries(heard), Object.entries(userProperties));
});

scenario([V5], 'content type and payload format pass through', async (clients) => {
  const [publisher, subscriber] = [await clients.open(), await clients.open()];
  await subscriber.subscribe('typed');
  await publisher.publish('typed', '{}', { properties: { payloadFormatIndicator: true, contentType: 'text/json' } });
  const { properties } = await subscriber.message();
  equal([properties.contentType, Number(properties.payloadFormatIndicator)], ['text/json', 1]);
});

scenario([V5], 'a message carries the identifier of its subscription', async (clients) => {
  const [publisher, subscriber] = [await clients.open(), await clients.open()];
  await subscriber.subscribe('by/number', { properties: { subscriptionIdentifier: 7 } });
  await subscriber.subscribe('by/name', { properties: { subscriptionIdentifier: 268_435_455 } });
  await subscriber.subscribe('by/nothing');
  for (const topic of ['by/number', 'by/name', 'by/nothing']) await publisher.publish(topic, 'x');
  const heard = await subscriber.messages(3);
  equal(heard.map((message) => [message.properties?.subscriptionIdentifier].flat()[0]), [7, 268_435_455, undefined]);
});

scenario([V5], 'a request is answered on its response topic with its correlation data', async (clients) => {
  const [asker, answerer] = [await clients.open(), await clients.open()];
  const correlationData = new Uint8Array([0, 255, 128, 1]);
  await answerer.subscribe('question', { qos: 1 });
  await asker.subscribe('answer', { qos: 1 });
  const responseTopic = clients.topic('answer');
  await asker.publish('question', 'how deep?', { qos: 1, properties: { responseTopic, correlationData } });

  const { properties } = await answerer.message();
  equal(properties.responseTopic, responseTopic);
  const answer = { qos: 1, properties: { correlationData: properties.correlationData } };
  await answerer.publish('answer', 'three fathoms', answer);
  const heard = await asker.message();
  equal([heard.payload, ...heard.properties.correlationData], ['three fathoms', ...correlationData]);
});

scenario([V5], 'a message that waits expires, or says how long it still lives', async (clients) => {
  const publisher = await clients.open();
  const subscriber = await clients.open({ session: true });
  await subscriber.subscribe('milk', { qos: 1 });
  await subscriber.end();
  await publisher.publish('milk', 'sour', { qos: 1, properties: { messageExpiryInterval: 1 } });
  await publisher.publish('milk', 'fresh', { qos: 1, properties: { messageExpiryInterval: 1000 } });
  await new Promise((resolve) => setTimeout(resolve, 2500)); // the first is past its second, on any broker's clock

  const back = await clients.open({ session: true, clientId: subscriber.clientId });
  const { payload, properties } = await back.message();
  equal(payload, 'fresh');
  const left = properties.messageExpiryInterval;
  assert(left > 0 && left < 1000, `it lives for ${left} s`);
});

scenario([V5], 'the client may shorten topics to aliases', async (clients) => {
  const publisher = await clients.open({ autoAssignTopicAlias: true });
  const subscriber = await clients.open();
  await subscriber.subscribe('a/long/+/topic', { qos: 1 });
  const sent = publisher.packets('packetsend', 'publish');
  for (const name of ['one', 'two', 'one', 'two']) await publisher.publish(`a/long/${name}/topic`, name, { qos: 1 });
  equal(sent.map((packet) => packet.topic !== ''), [true, true, false, false]);
  const heard = await subscriber.messages(4);
  equal(payloads(heard), ['one', 'two', 'one', 'two']);
  equal(heard.map(({ topic }) => topic.split('/')[2]), ['one', 'two', 'one', 'two']);
});

scenario([V5], 'the broker shortens topics to aliases for a client that allows it', async (clients) => {
  const publisher = await clients.open();
  const subscriber = await clients.open({ properties: { topicAliasMaximum: 1 } });
  await subscriber.subscribe('a/long/topic', { qos: 1 });
  const received = subscriber.packets('packetreceive', 'publish');
  for (const payload of ['one', 'two', 'three']) await publisher.publish('a/long/topic', payload, { qos: 1 });
  equal(payloads(await subscriber.messages(3)), ['one', 'two', 'three']);
  equal(received.map((packet) => packet.topic !== ''), [true, false, false]);
  equal(received.map((packet) => packet.properties?.topicAlias), [1, 1, 1]);
});

scenario([V5], 'no local keeps a client from hearing itself', async (clients) => {
  const [self, other] = [await clients.open(), await clients.open()];
  await self.subscribe('echo', { nl: true });
  await self.publish('echo', 'mine');
  await self.hearsNothingBefore(other, 'echo');
});

scenario([V5], 'retain as published keeps the flag', async (clients) => {
  const [publisher, kept, cleared] = [await clients.open(), await clients.open(), await clients.open()];
  await kept.subscribe('flag', { rap: true });
  await cleared.subscribe('flag');
  await publisher.publish('flag', 'x', { retain: true });
  equal([(await kept.message()).retain, (await cleared.message()).retain], [true, false]);
});

scenario([V5], 'retain handling says when retained messages are sent', async (clients) => {
  const [publisher, subscriber] = [await clients.open(), await clients.open()];
  await publisher.publish('kept', 'x', { qos: 1, retain: true });
  await subscriber.subscribe('kept', { rh: 2 });
  await subscriber.hearsNothingBefore(publisher, 'kept');
  for (const expected of [1, 0]) {
    if (expected === 1) await subscriber.unsubscribe('kept');
    await subscriber.subscribe('kept', { rh: 1 });
    if (expected === 1) equal((await subscriber.message()).retain, true);
    await subscriber.hearsNothingBefore(publisher, 'kept');
  }
  await subscriber.subscribe('kept', { rh: 0 });
  equal((await subscriber.message()).retain, true);
});

scenario([V5], 'a publisher learns that nobody listens', async (clients) => {
  const [publisher, subscriber] = [await clients.open(), await clients.open()];
  for (const qos of [1, 2]) {
    const answer = publisher.event('packetreceive', (packet) => ['puback', 'pubrec'].includes(packet.cmd));
    await publisher.publish(`empty/${qos}`, 'x', { qos });
    equal((await answer).reasonCode, 0x10);
  }
  await subscriber.subscribe('heard', { qos: 1 });
  const answer = publisher.event('packetreceive', (packet) => packet.cmd === 'puback');
  await publisher.publish('heard', 'x', { qos: 1 });
  equal((await answer).reasonCode ?? 0, 0);
});

/** Payloads of each topic: order between topics is nobody's promise. */
function byTopic(messages) {
  const topics = [...new Set(messages.map(({ topic }) => topic))].sort();
  return Object.fromEntries(topics.map((name) => [name, payloads(messages.filter(({ topic }) => topic === name))]));
}
