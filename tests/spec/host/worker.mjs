// Runs the worker, as built, in workerd with worker-object.js before it: says the port, and ends with its standard input.

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { start } from '../../../worker/local.mjs';

const workerd = await start({ entry: fileURLToPath(new URL('worker-object.js', import.meta.url)) });
console.log(workerd.port);
await once(process.stdin.resume(), 'end');
await workerd.stop();
