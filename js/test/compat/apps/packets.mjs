// A page that shows what goes over the wire, and how long the server takes.

import mqtt from 'mqtt';
import { ask, next, settled, tell, url } from '../program.mjs';

const options = { clientId: 'packets', protocolVersion: 5, keepalive: 1, reconnectPeriod: 30 };
const client = mqtt.connect(url, { ...options, manualConnect: true });
const wire = { sent: [], received: [] };
client.on('packetsend', ({ cmd }) => wire.sent.push(cmd));
client.on('packetreceive', ({ cmd }) => wire.received.push(cmd));
const pinged = new Promise((resolve) => client.on('packetreceive', ({ cmd }) => cmd === 'pingresp' && resolve()));
client.connect();
await next(client, 'connect');
await client.subscribeAsync('packets', { qos: 1 });
for (const qos of [0, 1, 2]) await client.publishAsync('elsewhere', 'x', { qos });
await ask('publish', { topic: 'packets', payload: 'x', options: { qos: 1 } });
await settled();
await client.unsubscribeAsync('packets');
await pinged;
await settled();
const withoutPings = (commands) => commands.filter((command) => !command.startsWith('ping'));
tell('sent', ...withoutPings(wire.sent.splice(0)));
tell('received', ...withoutPings(wire.received.splice(0)));

const back = next(client, 'connect');
await ask('cut');
await back;
await settled();
await client.endAsync();
await settled();
tell('sent', ...withoutPings(wire.sent));
tell('received', ...withoutPings(wire.received));
