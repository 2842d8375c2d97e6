import { connect } from 'mqlite';
import ws from 'ws';
import { exchange } from './exchange.mjs';

// Node has a WebSocket of its own from 22 on.
const Socket = globalThis.WebSocket ?? ws;
const client = await connect(new Socket(process.argv[2], 'mqtt'));
console.log(await exchange(client));
await client.end();
