// The package's client.wasm, inside the script.

import base64 from '../../../wasm/client_bg.wasm';
import type { Supply } from '../../connect.js';
import { client as artefact } from '../../glue/client.js';
import { inflate } from './inflate.js';

export const supply: Supply = { artefact, source: () => inflate(base64 as unknown as string) };
