// `mqlite serve` as a process of its own, on free ports of loopback.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const mqlite = fileURLToPath(new URL('../../target/debug/mqlite', import.meta.url));

/** Options of a server that lets this machine open connections as fast as it likes, whatever rules it breaks. */
export const UNHURRIED = ['--config', fileURLToPath(new URL('unhurried.toml', import.meta.url))];

/**
 * Starts the server, with its state in memory or in the folder `data`, more `options` and `variables`, and WebSocket at
 * the address `at`. Resolves with its addresses when it listens on both, or over TLS with `secure`, and its `log`.
 */
export async function startServer({ data, options: more = [], variables = {}, secure = false, at = '127.0.0.1:0' } = {}) {
  const env = { ...process.env, RUST_LOG: 'info', ...variables };
  const [tcp, ws] = secure ? ['tcp-tls', 'ws-tls'] : ['tcp', 'ws'];
  const options = ['serve', ...(data ? ['--data', data] : ['--memory']), `--${tcp}`, '127.0.0.1:0', `--${ws}`, at, ...more];
  const server = spawn(mqlite, options, { env, stdio: ['ignore', 'inherit', 'pipe'] });
  const exited = once(server, 'exit');
  const log = [];
  const addresses = {};
  await new Promise((resolve, reject) => {
    createInterface(server.stderr)
      .on('line', (line) => {
        log.push(line);
        const { groups } = line.match(/listening on (?<url>(?<scheme>mqtt|ws)s?:\S+)/) ?? {};
        if (groups) addresses[groups.scheme] = groups.url;
        if (addresses.mqtt && addresses.ws) resolve();
      })
      .on('close', () => reject(new Error(`mqlite ended before it listened:\n${log.join('\n')}`)));
    server.on('error', (error) => reject(new Error(`build mqlite first: cargo build --features native (${error.message})`)));
  });
  return {
    mqtt: addresses.mqtt,
    ws: addresses.ws,
    log,
    /** Asks the server to stop; resolves with its exit code. */
    async stop() {
      server.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
    /** Ends the server as a crash would. */
    async kill() {
      server.kill('SIGKILL');
      await exited;
    },
  };
}
