// The servers that our client is tested with: mosquitto, `mqlite serve`, and a broker in this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { Broker } from '../../js/dist/broker.js';
import { freePort } from './free-port.mjs';
import { startServer, UNHURRIED } from './server.mjs';

/** By name: each starts a server, and resolves with its WebSocket's port and what stops it. */
export const peers = {
  mosquitto: startMosquitto,
  'mqlite serve': startNative,
  'a broker in this process': startBroker,
};

/**
 * mosquitto with a listener for WebSockets and one for TCP, no state on disk, and nothing dropped for want of room. By default it closes a
 * connection of 3.1.1 with more than 20 messages under way: a Receive Maximum, of which that version cannot tell.
 */
export async function startMosquitto() {
  const folder = await mkdtemp(join(tmpdir(), 'mqlite-mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  const [port, tcp] = [await freePort(), await freePort()];
  // `user` counts for root alone, who could not use the folder otherwise.
  const lines = ['user root', `listener ${tcp} 127.0.0.1`, `listener ${port} 127.0.0.1`, 'protocol websockets', 'allow_anonymous true', 'persistence false', 'max_queued_messages 0', 'max_inflight_messages 1000'];
  await writeFile(file, `${lines.join('\n')}\n`);
  // Debian keeps it where not every user looks for commands.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  const mosquitto = spawn('mosquitto', ['-c', file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  mosquitto.stderr.on('data', (text) => (said = `${said}${text}`.slice(-4_000)));
  const ended = Promise.race([once(mosquitto, 'exit'), once(mosquitto, 'error')]).then(([cause]) => cause);
  const hasEnded = ended.then((cause) => {
    throw new Error(`mosquitto ended before it listened (${cause}): ${said}`);
  });
  hasEnded.catch(() => {});
  await Promise.race([Promise.all([listens(port), listens(tcp)]), hasEnded]);
  return {
    port,
    tcp,
    async stop() {
      mosquitto.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function startNative() {
  const server = await startServer({ options: UNHURRIED });
  return { port: Number(new URL(server.ws).port), stop: () => server.stop() };
}

/** A broker in this process with these options, behind a WebSocket server. */
export async function startBroker(options = {}) {
  const broker = await Broker.open(options);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'mqtt' });
  server.on('connection', (socket) => broker.accept(socket));
  await once(server, 'listening');
  return {
    broker,
    port: server.address().port,
    async stop() {
      await broker.close();
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

/** Resolves when something listens there. */
async function listens(port) {
  for (;;) {
    const socket = dial(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
