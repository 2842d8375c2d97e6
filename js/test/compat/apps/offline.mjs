// A client whose server comes and goes: what is queued, what is kept, what is subscribed to again.

import mqtt from 'mqtt';
import { ask, messages, next, settled, tell, told, url, watch } from '../program.mjs';

await ask('close');
const waiting = watch(mqtt.connect(url, { clientId: 'waiting', reconnectPeriod: 60 }), 'waiting');
waiting.publish('queue/0', 'first', told('published first'));
waiting.publish('queue/1', 'second', { qos: 1 }, told('published second'));
waiting.publish('queue/2', 'third', { qos: 2 }, told('published third'));
waiting.subscribe('queue/commands', { qos: 1 }, told('subscribed'));
for (let attempts = 0; attempts < 3; attempts += 1) await next(waiting, 'close');
tell('no server', waiting.connected, waiting.reconnecting);
await ask('open');
await next(waiting, 'connect');
await settled();
const command = messages(waiting, 1);
await ask('publish', { topic: 'queue/commands', payload: 'go', options: { qos: 1 } });
await command;
await waiting.endAsync();
tell('waiting is over');

const atOnceOnly = { queueQoSZero: false, manualConnect: true, reconnectPeriod: 0 };
const strict = watch(mqtt.connect(url, { clientId: 'strict', ...atOnceOnly }), 'strict');
await settled();
tell('manual', strict.connected, strict.reconnecting);
strict.publish('strict/0', 'not queued', told('not queued'));
strict.publish('strict/1', 'queued', { qos: 1 }, told('queued'));
strict.connect();
await next(strict, 'connect');
await settled();
const lost = next(strict, 'close');
await ask('cut');
await lost;
await settled(100);
tell('without a period', strict.connected, strict.reconnecting);
strict.reconnect();
await next(strict, 'connect');
await strict.endAsync();

const kept = { clientId: 'kept', clean: false, reconnectPeriod: 0 };
const first = watch(mqtt.connect(url, kept), 'first');
await next(first, 'connect');
await first.subscribeAsync('kept/#', { qos: 1 });
await first.endAsync();
await ask('publish', { topic: 'kept/a', payload: 'meanwhile', options: { qos: 1 } });
const second = watch(mqtt.connect(url, kept), 'second');
await messages(second, 1);
await second.endAsync();

const forgetful = watch(mqtt.connect(url, { clientId: 'forgetful', resubscribe: false, reconnectPeriod: 40 }), 'forgetful');
await next(forgetful, 'connect');
await forgetful.subscribeAsync('forgetful/#');
const back = next(forgetful, 'connect');
await ask('cut');
await back;
await settled();
await ask('publish', { topic: 'forgetful/a', payload: 'x' });
await settled();
tell('subscriptions', await ask('subscriptions'));
await forgetful.endAsync();

await settled();
forgetful.reconnect();
await next(forgetful, 'connect');
tell('reconnected after the end', forgetful.connected, forgetful.disconnecting);
await forgetful.endAsync();

const replaced = watch(mqtt.connect(url, { clientId: 'same', protocolVersion: 5, reconnectPeriod: 30 }), 'replaced');
await next(replaced, 'connect');
await replaced.subscribeAsync('same/#', { qos: 1 });
const replacing = mqtt.connect(url, { clientId: 'same', protocolVersion: 5, reconnectPeriod: 0 });
await next(replaced, 'close');
await next(replaced, 'connect');
await settled();
const own = messages(replaced, 1);
replaced.publish('same/a', 'still subscribed', { qos: 1 });
await own;
await replaced.endAsync();
await replacing.endAsync();
