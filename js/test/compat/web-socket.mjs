// Node 20 has no WebSocket of its own, as Node 22 and browsers have.

import { WebSocket } from 'ws';

globalThis.WebSocket ??= WebSocket;
