// The engines of the broker and the client, in one WebAssembly.

import { __wbg_reset_state as reset, BrokerEngine, ClientEngine, initSync, Records, reasonName } from '../../wasm/broker.js';
import { Artefact } from '../artefact.js';
import type { ClientGlue } from './client.js';

export { BrokerEngine, Records };
export type { BrokerHost } from '../../wasm/broker.js';

export const broker: Artefact<ClientGlue> = /* @__PURE__ */ new Artefact({
  file: 'broker.wasm',
  ClientEngine,
  Records,
  initSync,
  reasonName,
  reset,
});
