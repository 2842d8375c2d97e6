import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { scenarios } from '../../tests/interop/scenarios.mjs';
import { start } from '../local.mjs';

let workerd;
before(async () => (workerd = await start()));
after(() => workerd.stop());

for (const [number, { name, run }] of scenarios.entries()) {
  test(name, () => run((options) => mqtt.connect(`ws://127.0.0.1:${workerd.port}/mqtt/scenario-${number}`, options)));
}
