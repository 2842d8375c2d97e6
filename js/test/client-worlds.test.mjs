// A client that is asked for anything at any moment, while its connections are cut and its servers come and go. Each world is
// decided by its seed, but for how long timers take. SEED=n runs one world alone, SEEDS=n as many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, connect, MqttError } from 'mqlite/broker';
import { Chance, CutLine } from './cut-line.mjs';
import { settled, until } from './support.mjs';

const { SEED, SEEDS = 12 } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS) }, (_, seed) => seed + 1);

/** What is asked of a client in one world. */
const STEPS = 150;
/** Reason Codes that a client never provokes: packets that break a rule or a limit that the server has named. */
const FAULTS = [0x81, 0x82, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x99, 0x9a, 0x9b, 0x9e, 0xa1, 0xa2];

for (const seed of seeds) {
  test(`World ${seed}: with one server nothing that was acknowledged is lost, or comes twice at QoS 2, or out of order`, async () => {
    const world = await World.open(seed, { isSteady: true });
    const witness = await world.broker.connect({ properties: { receiveMaximum: 1_000 } });
    const heard = [];
    await witness.subscribe('t/#', { qos: 2 }, (message) => void heard.push(message.text()));
    await world.live();
    await world.calm();
    await world.client.publish('t/1', 'end', { qos: 2 });
    await until(() => heard.includes('end'));
    for (const { text, topic, qos, request } of world.published) {
      if (!topic.startsWith('t/')) continue;
      const times = heard.filter((other) => other === text).length;
      const what = `${text}, QoS ${qos}, which ended with ${request.outcome}`;
      if (request.outcome === 'ok' && qos > 0) assert.ok(times > 0, `lost: ${what}`);
      if (qos !== 1) assert.ok(times <= 1, `came ${times} times: ${what}`);
      if (UNSENT.includes(request.outcome)) assert.equal(times, 0, `was sent: ${what}`);
    }
    for (const topic of ['t/1', 't/2', 't/3']) {
      const sent = world.published.filter((message) => message.topic === topic && message.qos === 2).map(({ text }) => text);
      const came = heard.filter((text) => sent.includes(text));
      assert.deepEqual(came, sent.filter((text) => came.includes(text)), `the order in ${topic}`);
    }
    await world.end();
    await witness.end();
    await world.broker.close();
  });

  test(`World ${seed}: whatever servers follow each other, everything asked is answered, and no rule or limit broken`, async () => {
    const world = await World.open(seed, { isSteady: false });
    await world.live();
    if (world.chance.happens(0.7)) {
      await world.calm();
      await world.client.publish('t/1', 'end', { qos: 1 });
    }
    await world.end();
    await world.broker.close();
  });
}

/** What a message that ends so was not sent for. */
const UNSENT = ['queue-full', 'dropped', 'qos-not-supported', 'retain-not-supported', 'packet-too-large'];

/** What takes a subscription's messages. */
const LOOP = 'loop';

class World {
  published = [];
  /** What went wrong that no assertion of the tests looks for. */
  problems = [];
  #requests = [];
  #controllers = [];
  #subscriptions = [];
  #isAway = false;
  #line;

  static async open(seed, { isSteady }) {
    const world = new World();
    world.chance = new Chance(isSteady ? seed : ~seed);
    world.isSteady = isSteady;
    world.version = world.chance.pick([4, 5, 5]);
    world.cutRate = world.chance.pick([0, 0.01, 0.05, 0.2]);
    world.broker = await world.#openBroker();
    world.client = await world.#connect();
    return world;
  }

  /** Asks for whatever chance says. */
  async live() {
    for (let step = 0; step < STEPS; step += 1) await this.#step();
  }

  /** Waits for all that was asked, with a server that is there. A loop may wait for messages for longer. */
  async calm() {
    this.cutRate = 0;
    this.#isAway = false;
    await until(() => this.#requests.every(({ what, outcome }) => outcome || what === LOOP));
  }

  /** Ends the client, and looks whether anything is left. */
  async end() {
    await this.client.end();
    await settled();
    assert.equal(this.client.status, 'ended');
    assert.deepEqual(this.#requests.filter(({ outcome }) => !outcome).map(({ what }) => what), [], 'left without an answer');
    assert.deepEqual(this.problems, []);
  }

  async #step() {
    const { chance, client } = this;
    const dice = chance.number();
    if (dice < 0.4) this.#publish();
    else if (dice < 0.5) this.#subscribe();
    else if (dice < 0.55) this.#ask('the end of a subscription', async () => chance.pick(this.#subscriptions)?.unsubscribe());
    else if (dice < 0.58) this.#ask('unsubscribe', () => client.unsubscribe(chance.pick(['t/1', ['t/1', 't/2']]), this.#limits()));
    else if (dice < 0.61 && this.version === 5) this.#ask('request', () => client.request('t/1', 'q', { timeout: 5, ...this.#limits() }));
    else if (dice < 0.65) chance.pick(this.#controllers)?.abort();
    else if (dice < 0.68) this.#line?.cut();
    else if (dice < 0.7) this.#leaveOrReturn();
    else if (dice < 0.72 && !this.isSteady) await this.#replaceBroker();
    else if (dice < 0.74) client.reconnect();
    else if (dice < 0.85) await sleep(chance.below(4));
  }

  #publish() {
    const { chance, client, published } = this;
    const [topic, qos, text] = [chance.pick(['t/1', 't/2', 't/3', 'u/1']), chance.pick([0, 1, 2, 2]), `${published.length}`];
    const options = { qos, retain: chance.happens(0.1), ...this.#limits() };
    const request = this.#ask(`publish ${text}`, () => client.publish(topic, text, options));
    published.push({ topic, qos, text, request });
  }

  #subscribe() {
    const { chance, client, version } = this;
    const filters = chance.pick(['t/1', 't/2', ['t/1', 't/+'], 't/#', '$share/g/t/1', 'u/+']);
    const handler = chance.pick([
      () => {},
      () => sleep(chance.below(3)),
      () => { throw new Error('thrown'); },
      async () => { throw new Error('rejected'); },
      () => void this.#ask('publish in a handler', () => client.publish('x', '', { qos: 1 })),
      () => void this.#ask('unsubscribe in a handler', () => client.unsubscribe('t/1')),
      undefined,
    ]);
    const options = { qos: chance.below(3), ...(version === 5 && chance.happens(0.1) && { identifier: 5 }), ...this.#limits() };
    this.#ask(`subscribe to ${filters}`, async () => {
      const subscription = await client.subscribe(filters, options, handler);
      this.#subscriptions.push(subscription);
      if (!handler) this.#ask(LOOP, () => this.#iterate(subscription));
    });
  }

  async #iterate(subscription) {
    let left = this.chance.below(10);
    for await (const _ of subscription) {
      if (this.chance.happens(0.3)) await sleep(1);
      if ((left -= 1) < 0) break;
    }
  }

  #limits() {
    const { chance } = this;
    const controller = new AbortController();
    if (chance.happens(0.15)) return { timeout: 1 + chance.below(10) };
    if (!chance.happens(0.15)) return {};
    this.#controllers.push(controller);
    return { signal: controller.signal };
  }

  #ask(what, ask) {
    const request = { what };
    this.#requests.push(request);
    ask().then(
      () => (request.outcome = 'ok'),
      (error) => {
        request.outcome = error.code ?? 'failed';
        if (!(error instanceof MqttError) || ['broken', 'busy'].includes(error.code)) this.problems.push(`${what}: ${error.stack}`);
      },
    );
    return request;
  }

  #leaveOrReturn() {
    this.#isAway = !this.#isAway;
    if (this.#isAway) this.#line?.cut();
  }

  /** Another server takes the place of this one: it has other limits, and no sessions. */
  async #replaceBroker() {
    const { broker } = this;
    this.broker = await this.#openBroker();
    await broker.close();
  }

  #openBroker() {
    const { chance, version, isSteady } = this;
    const limits = {
      receiveMaximum: chance.pick([1, 2, 5, 256]),
      topicAliasMaximum: chance.pick([0, 1, 64]),
      maximumInFlight: chance.pick([1, 3, 256]),
    };
    // A 3.1.1 server has no words for these: it closes the connection of a client that cannot know them.
    const named = {
      maximumQos: chance.pick([2, 2, 1]),
      retainAvailable: chance.happens(0.8),
      maximumPacketSize: chance.pick([1_048_576, 200]),
      wildcardSubscriptionAvailable: chance.happens(0.8),
      sharedSubscriptionAvailable: chance.happens(0.8),
      subscriptionIdentifiersAvailable: chance.happens(0.7),
    };
    const isNamed = version === 5 && !isSteady;
    return Broker.open({
      ...limits,
      ...(isNamed && named),
      maximumQueuedMessages: 100_000,
      onEvent: ({ type, refusal }) => {
        if (FAULTS.includes(refusal?.reason)) this.problems.push(`${type}: ${refusal.message}`);
      },
    });
  }

  async #connect() {
    const { chance, version } = this;
    const server = () => {
      if (this.#isAway) throw new Error('the server is away');
      this.#line = new CutLine(this.broker, chance, this.cutRate);
      return this.#line.transport;
    };
    const client = await connect(server, {
      clientId: 'client',
      waitForConnection: false,
      protocolVersion: version,
      cleanStart: version === 5, // 3.1.1 has no other way to ask that the session be kept
      ...(version === 5 && { properties: { receiveMaximum: chance.pick([1, 3, 256]), topicAliasMaximum: chance.pick([0, 2, 64]), sessionExpiryInterval: 1_000 } }),
      outbox: { maximumMessages: chance.pick([5, 1_000]), policy: chance.pick(['reject', 'drop-oldest', 'drop-newest']) },
      reconnect: { minimumDelayMillis: 1, maximumDelayMillis: 3 },
    });
    let isOver = false;
    client.on('status', (status) => {
      if (isOver) this.problems.push(`the status ${status} after the end`);
      isOver = status === 'ended';
      if (chance.happens(0.05)) throw new Error('thrown');
    });
    client.on('error', ({ code, message }) => {
      if (!['handler-failed', 'refused'].includes(code)) this.problems.push(`${code}: ${message}`);
    });
    return client;
  }
}
