// The package's broker.wasm, inside the script.

import base64 from '../../../wasm/broker_bg.wasm';
import type { Supply } from '../../connect.js';
import { broker as artefact } from '../../glue/broker.js';
import { inflate } from './inflate.js';

export const supply: Supply = { artefact, source: () => inflate(base64 as unknown as string) };
