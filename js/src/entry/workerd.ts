// For Cloudflare Workers and their like, where only a module that was deployed as such may run.

import module from '../../wasm/mqlite_bg.wasm';
import { setDefaultSource } from '../engine.js';

export * from '../index.js';

setDefaultSource(() => module as unknown as WebAssembly.Module);
