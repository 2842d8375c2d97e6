// The package's client.wasm as a module that is deployed: no other may run in Cloudflare Workers and their like.

import module from '../../../wasm/client_bg.wasm';
import type { Supply } from '../../connect.js';
import { client as artefact } from '../../glue/client.js';

export const supply: Supply = { artefact, source: () => module as unknown as WebAssembly.Module };
