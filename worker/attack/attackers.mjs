// The attackers, in a process of their own. Does what run.mjs sends it.

import { setMaxListeners } from 'node:events';
import { setPriority } from 'node:os';
import { malformedPackets } from './corpus.mjs';
import { Attacker } from './kinds.mjs';

// On the internet they would not share this machine.
setPriority(19);

let over;
let attackers = [];
let running;

const orders = {
  /** `count` attackers in all, of these kinds in turn. In each round they are others, of whom nobody has heard. */
  async start({ kinds, count, round, port, path }) {
    const corpus = await malformedPackets(2_000);
    over = new AbortController();
    setMaxListeners(0, over.signal);
    attackers = Array.from({ length: count }, (_, number) =>
      new Attacker(kinds[number % kinds.length], number, { round, port, path, corpus, signal: over.signal }));
    running = Promise.all(attackers.map((attacker) => attacker.run()));
  },

  /** Ends them, and tells what each kind did. */
  async stop() {
    over.abort();
    await running;
    const sums = {};
    for (const { kind, opened, refused, thrownOut, sent } of attackers) {
      const sum = (sums[kind] ??= { opened: 0, refused: 0, thrownOut: 0, sent: 0 });
      sum.opened += opened;
      sum.refused += refused;
      sum.thrownOut += thrownOut;
      sum.sent += sent;
    }
    return sums;
  },
};

process.on('message', async ({ order, ...parameters }) => {
  try {
    process.send({ result: (await orders[order](parameters)) ?? {} });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
process.on('disconnect', () => process.exit());
