// For browsers, Node and whoever else lets bytes be compiled: the WebAssembly is inside, so that no bundler has to find it.

import base64 from '../../wasm/mqlite_bg.wasm';
import { setDefaultSource } from '../engine.js';

export * from '../index.js';

setDefaultSource(() => Uint8Array.from(atob(base64 as unknown as string), (character) => character.charCodeAt(0)));
