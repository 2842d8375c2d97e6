// Serves the built page on loopback: port 8000 or PORT, the next free one when it is taken, until Ctrl-C.
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';

const port = Number(process.env.PORT || 8000);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`PORT must be a number from 0 to 65535, not "${process.env.PORT}".`);
  process.exit(1);
}

const server = await preview({
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'warn',
  preview: { host: '127.0.0.1', port },
});
const address = server.httpServer.address();
console.log(`MQlite is at http://127.0.0.1:${address.port}/ - press Ctrl-C to stop.`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(0));
}
