// Who is let into a room, by users, tokens and SCRAM, in workerd: the contract that holds for every host.

import { bridgeTo } from '../../tests/interop/access/bridge.mjs';
import { contract, JWT_PUBLIC_KEY, JWT_SECRET } from '../../tests/interop/access/contract.mjs';
import { startSteered } from './steering.mjs';

contract('the worker', async (settings) => {
  const log = [];
  const workerd = await startSteered({ settings, variables: { JWT_SECRET, JWT_PUBLIC_KEY }, log: (line) => log.push(line) });
  const websocket = `ws://127.0.0.1:${workerd.port}/mqtt`;
  const bridge = await bridgeTo(websocket);
  const room = workerd.room('default');
  return {
    websocket,
    tcp: bridge.url,
    log,
    addUser: (name, change) => room.steer('putUser', { name }, JSON.stringify(change)),
    async stop() {
      bridge.close();
      await workerd.stop();
    },
  };
});
