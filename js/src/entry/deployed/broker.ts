// The package's broker.wasm as a module that is deployed: no other may run in Cloudflare Workers and their like.

import module from '../../../wasm/broker_bg.wasm';
import type { Supply } from '../../connect.js';
import { broker as artefact } from '../../glue/broker.js';

export const supply: Supply = { artefact, source: () => module as unknown as WebAssembly.Module };
