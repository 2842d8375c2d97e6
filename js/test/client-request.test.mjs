// Questions and answers, as MQTT 5 has them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import { settled, Time, until, withBroker } from './support.mjs';

/** Answers what is asked of `topic`. */
async function responder(broker, topic, answer = (message) => `${message.text()}!`) {
  const client = await connect(broker);
  await client.subscribe(topic, { qos: 1 }, async (message) => {
    const { responseTopic, correlationData } = message.properties;
    await client.publish(responseTopic, answer(message), { qos: 1, properties: { correlationData } });
  });
  return client;
}

withBroker('A question is answered, and so are several at once over one subscription', async (broker) => {
  await responder(broker, 'upper');
  const client = await connect(broker, { clientId: 'a+b/c' });
  const topics = [];
  client.on('message', ({ topic }) => topics.push(topic));
  const answers = await Promise.all(['x', 'y', 'z'].map((text) => client.request('upper', text, { qos: 1 })));
  assert.deepEqual(answers.map((message) => message.text()), ['x!', 'y!', 'z!']);
  assert.deepEqual(topics, Array(3).fill('response/a%2Bb%2Fc/1'));
  assert.equal(broker.statistics().subscriptions, 2);
});

withBroker('The response topic is where the server says', async (broker) => {
  await responder(broker, 'q');
  const client = await connect(broker, { clientId: 'c', properties: { requestResponseInformation: true } });
  assert.equal((await client.request('q', { a: 1 })).topic, 'answers/c/0');
}, { responseInformation: 'answers/' });

withBroker('Nobody who could answer is an error at once, where the server says so', async (broker) => {
  const client = await connect(broker);
  await assert.rejects(client.request('nobody', 'x', { qos: 1 }), { code: 'refused', reason: 0x10, message: /"nobody"/ });
});

test('An answer that is late, foreign or the second is left alone', async () => {
  const time = new Time();
  const broker = await Broker.open(time.options());
  const other = await connect(broker, time.options());
  const asked = [];
  await other.subscribe('q', { qos: 1 }, (message) => void asked.push(message.properties));
  const client = await connect(broker, { ...time.options(), clientId: 'c' });
  const answer = (text, correlationData) => other.publish('response/c/0', text, { qos: 1, properties: { correlationData } });

  const late = client.request('q', 'x', { timeout: 1_000 });
  late.catch(() => {});
  await until(() => asked.length === 1);
  time.pass(1_000);
  await assert.rejects(late, { code: 'timeout' });
  await answer('late', asked[0].correlationData);

  const question = client.request('q', 'y');
  await until(() => asked.length === 2);
  await answer('foreign', Uint8Array.of(1, 2, 3));
  await answer('none', undefined);
  await answer('longer', Uint8Array.of(...asked[1].correlationData, 0));
  await settled();
  await answer('right', asked[1].correlationData);
  await answer('second', asked[1].correlationData);
  assert.equal((await question).text(), 'right');

  const unanswered = client.request('q', 'z');
  unanswered.catch(() => {});
  await until(() => asked.length === 3);
  time.pass(10_000);
  await assert.rejects(unanswered, { code: 'timeout' }, 'ten seconds, unless somebody says otherwise');
  const controller = new AbortController();
  const aborted = client.request('q', 'z', { signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, { code: 'aborted' });
  const open = client.request('q', 'z');
  await until(() => asked.length === 4);
  await Promise.all([client.end(), other.end()]);
  await assert.rejects(open, { code: 'closed' });
  await broker.close();
});

withBroker('A question survives a connection that is lost', async (broker) => {
  const socket = [];
  const client = await connect(() => (socket[0] = broker.webSocket()), { clientId: 'c', reconnect: { maximumDelayMillis: 1 } });
  const other = await connect(broker);
  let ask;
  await other.subscribe('q', { qos: 1 }, (message) => void (ask = message.properties));
  const answer = client.request('q', 'x', { qos: 1 });
  await until(() => ask);
  socket[0].close();
  await until(() => client.status !== 'connected');
  await other.publish(ask.responseTopic, 'yes', { qos: 1, properties: { correlationData: ask.correlationData } });
  assert.equal((await answer).text(), 'yes');
  await client.end();
});

withBroker('What MQTT 3.1.1 does not have, and what is no question, is refused in words', async (broker) => {
  const old = await connect(broker, { protocolVersion: 4 });
  await assert.rejects(old.request('q', 'x'), { code: 'needs-mqtt-5' });
  const client = await connect(broker);
  for (const options of [{ retain: true }, { properties: { responseTopic: 'a' } }, { timeout: 'x' }, { qos: 3 }]) {
    await assert.rejects(client.request('q', 'x', options), { code: 'invalid-options' });
  }
  await assert.rejects(client.request('q/#', 'x'), { code: 'invalid-topic' });
});
