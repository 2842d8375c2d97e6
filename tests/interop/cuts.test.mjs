// Exactly once across forced disconnects, through each server: MESSAGES, CUTS and SEED say how often and when.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { run } from './cuts.mjs';
import { peers } from './peers.mjs';

const { MESSAGES = '1000', CUTS = '10', SEED = `${Math.floor(Math.random() * 2 ** 32)}` } = process.env;
const [messages, cuts, seed] = [MESSAGES, CUTS, SEED].map(Number);

for (const [name, start] of Object.entries(peers)) {
  describe(name, () => {
    let peer;
    before(async () => (peer = await start()));
    after(() => peer?.stop());
    for (const protocolVersion of [4, 5]) {
      test(`MQTT ${protocolVersion}: ${messages} messages of QoS 2 across ${cuts} cuts, SEED=${seed}`, async () => {
        const { heard, lost, duplicated, outOfOrder, cuts: done, refused } = await run({ port: peer.port, messages, cuts, seed, protocolVersion });
        console.log(`${name}, MQTT ${protocolVersion}: ${heard} heard across ${done} cuts, lost ${lost}, duplicated ${duplicated}`);
        assert.deepEqual({ lost, duplicated, outOfOrder, refused }, { lost: 0, duplicated: 0, outOfOrder: 0, refused: [] });
        assert.ok(done >= cuts, `${done} cuts`);
      });
    }
  });
}
