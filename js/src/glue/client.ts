// The client's engine, in a WebAssembly of its own.

import { __wbg_reset_state as reset, ClientEngine, initSync, Records, reasonName } from '../../wasm/client.js';
import { Artefact, type Glue } from '../artefact.js';

export type { ClientEngine, ClientHost, Records } from '../../wasm/client.js';

/** What a client needs of an artefact: that of the broker has it too. */
export interface ClientGlue extends Glue {
  ClientEngine: typeof ClientEngine;
  Records: typeof Records;
}

export const client: Artefact<ClientGlue> = /* @__PURE__ */ new Artefact({
  file: 'client.wasm',
  ClientEngine,
  Records,
  initSync,
  reasonName,
  reset,
});
