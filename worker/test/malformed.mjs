// Many malformed packets, and two clients beside them that must notice nothing, at any broker with WebSockets on this machine.

import assert from 'node:assert/strict';
import { malformedPackets } from '../attack/corpus.mjs';
import { connect, PINGREQ } from '../attack/packets.mjs';
import { connectTo, SecurityClient } from './security-client.mjs';

/** So many connections at a time bring them. */
const BRINGERS = 40;
const PINGRESP = 13;

/** A publisher and a subscriber that are always busy with QoS 1. `stop` resolves with what was acknowledged and what came. */
export async function busyPair({ port, path }) {
  const subscriber = await connectTo(port, path, 'subscriber');
  assert.equal(await subscriber.subscribe('pair', 1), 1);
  const publisher = await connectTo(port, path, 'publisher');
  let isOver = false;
  let sent = 0;
  const busy = (async () => {
    while (!isOver) assert.ok((await publisher.publish('pair', `${(sent += 1)}`)) < 0x80);
  })();
  return async () => {
    isOver = true;
    await busy;
    await subscriber.settled();
    await Promise.all([publisher.close(), subscriber.close()]);
    return { sent, heard: subscriber.messages.filter(({ topic }) => topic === 'pair').map(({ payload }) => Number(payload)) };
  };
}

/** Sends `count` of them, the same each time. Resolves with the number of connections that it took. */
export async function bringMalformed({ port, path }, count) {
  const packets = await malformedPackets(count, { seed: 8 });
  let brought = 0;
  let connections = 0;
  const bring = async (number) => {
    let client;
    while (brought < packets.length) {
      const { bytes, isFramed } = packets[brought];
      brought += 1;
      if (!client?.isOpen) {
        client = new SecurityClient();
        await client.open(port, path);
        connections += 1;
        // Half of them are let in first.
        if (brought % 2) client.send(connect(`bringer-${number}`));
      }
      client.send(bytes);
      client.send(PINGREQ);
      // Behind a whole packet the ping is answered, or all is over; another one may wait for more for ever.
      if (isFramed) await client.answer(PINGRESP).catch(() => {});
      else await client.close();
    }
    client.destroy();
  };
  await Promise.all(Array.from({ length: BRINGERS }, (_, number) => bring(number)));
  return connections;
}
