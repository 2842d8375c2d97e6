// What happens in each lesson of the tour. Knows neither the texts that go with it, nor how it is shown.

import type { LessonName } from './tour-progress.ts';
import type { TourRun } from './tour-run.ts';

/** What came out of a lesson, by the names that its texts have for it. */
export type Facts = Readonly<Record<string, string | number>>;

/** Each does its lesson, and resolves to what came out. */
export const SCRIPTS: { readonly [name in LessonName]: (run: TourRun) => Promise<Facts> } = {
  async client(run) {
    const phone = await run.connect('phone');
    const clients = run.broker.running?.statistics().clientsConnected ?? 0;
    await run.rest();
    await run.end(phone);
    return { clients };
  },

  async topic(run) {
    const lamp = await run.connect('lamp');
    await run.subscribe('lamp', lamp, KITCHEN);
    const button = await run.connect('switch');
    await run.publish(button, KITCHEN, 'on');
    await run.publish(button, GARDEN, 'on');
    await run.publish(button, KITCHEN, 'off');
    const messages = await run.got('lamp', 2);
    return { sent: 3, received: messages.length };
  },

  async wildcard(run) {
    await run.patience.race(run.broker.sensors.start());
    const [dashboard, archive] = [await run.connect('dashboard'), await run.connect('archive')];
    await run.subscribe('dashboard', dashboard, 'sensor/+/temperature');
    await run.subscribe('archive', archive, 'sensor/10/#');
    const topics = (role: string) => new Set(run.messages.value.flatMap(({ to, message }) => (to === role ? [message.topic] : [])));
    await run.patience.until(() => topics('dashboard').size >= 3 && topics('archive').size >= 3);
    await Promise.all([run.end(dashboard), run.end(archive)]);
    return { dashboard: topics('dashboard').size, archive: topics('archive').size };
  },

  async qos0(run) {
    const phone = await run.connect('phone');
    await run.subscribe('phone', phone, READING, { qos: 0 });
    const sensor = await run.connect('sensor');
    await run.publish(sensor, READING, 'one');
    run.faults('sensor').add('drop', 'sent', 'PUBLISH');
    await run.publish(sensor, READING, 'two');
    await run.publish(sensor, READING, 'three');
    await run.patience.until(() => run.messages.value.some(({ message }) => text(message.payload) === 'three'));
    return { sent: 3, received: run.messages.value.length };
  },

  qos1: (run) => acknowledged(run, 1),
  qos2: (run) => acknowledged(run, 2),

  async retained(run) {
    const door = await run.connect('door');
    await run.publish(door, DOOR, 'open', { retain: true });
    await run.end(door);
    const phone = await run.connect('phone');
    await run.subscribe('phone', phone, DOOR);
    await run.got('phone', 1);
    const kept = retained(run);
    await run.rest();
    await run.publish(phone, DOOR, '', { retain: true, qos: 1 });
    await run.got('phone', 2);
    return { kept, left: retained(run) };
  },

  async will(run) {
    const phone = await run.connect('phone');
    await run.subscribe('phone', phone, HEATER);
    const heater = await run.connect('heater', { reconnect: false, will: { topic: HEATER, payload: 'offline' } });
    await run.publish(heater, HEATER, 'online');
    await run.got('phone', 1);
    run.faults('heater').cut();
    await run.got('phone', 2);
    return {};
  },

  async session(run) {
    const lasting = { cleanStart: false, properties: { sessionExpiryInterval: HOUR } };
    const before = await run.connect('phone', lasting);
    await run.subscribe('phone', before, ALARM, { qos: 1 });
    await run.end(before);
    const sensor = await run.connect('sensor');
    await run.publish(sensor, ALARM, 'smoke', { qos: 1 });
    await run.publish(sensor, ALARM, 'fire', { qos: 1 });
    const queued = run.broker.running?.clients({ limit: 1_000 }).items.find(({ clientId }) => clientId === 'tour-phone')?.queued ?? 0;
    await run.connect('phone', lasting);
    const messages = await run.got('phone', 2);
    return { queued, received: messages.length };
  },
};

/** A message whose first acknowledgement is lost together with the connection: what is not acknowledged is sent again. */
async function acknowledged(run: TourRun, qos: 1 | 2): Promise<Facts> {
  const properties = { sessionExpiryInterval: HOUR };
  const phone = await run.connect('phone', { properties });
  await run.subscribe('phone', phone, READING, { qos });
  const sensor = await run.connect('sensor', { properties });
  const answer = qos === 1 ? 'PUBACK' : 'PUBREC';
  run.faults('sensor').add('cut', 'received', answer);
  await run.publish(sensor, READING, 'hello', { qos });
  await run.seen('sensor', 'sent', ({ name, dup }) => name === 'PUBLISH' && dup === true);
  // What comes behind all copies tells how many there were.
  await run.publish(sensor, READING, LAST, { qos });
  await run.patience.until(() => run.messages.value.some(({ message }) => text(message.payload) === LAST));
  await run.rest();
  return { copies: run.messages.value.length - 1 };
}

/** How many messages the broker keeps of the door. */
function retained(run: TourRun): number {
  return run.broker.running?.retained(DOOR).items.length ?? 0;
}

function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}

const KITCHEN = 'tour/kitchen/lamp';
const GARDEN = 'tour/garden/lamp';
const READING = 'tour/reading';
const DOOR = 'tour/door';
const HEATER = 'tour/heater/status';
const ALARM = 'tour/alarm';
const LAST = 'bye';

/** Seconds. */
const HOUR = 3_600;
