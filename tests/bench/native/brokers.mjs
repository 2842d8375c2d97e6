// The brokers that are measured as processes, each with the settings that suit it best: no logging, no limit that a load meets, and nothing
// on disk unless the scenario says so.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { MEASURED_CORE, start } from '../processes.mjs';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const folders = `${repository}target/bench`;

/** Each starts with its ports and a folder of its own, and what is to be `stored`. */
const BROKERS = {
  mqlite: ({ port, webPort, folder, stored }) => {
    writeFileSync(`${folder}/mqlite.toml`, MQLITE);
    const where = stored ? ['--data', `${folder}/data`] : ['--memory'];
    const command = process.env.MQLITE ?? `${repository}target/release/mqlite`;
    if (!existsSync(command)) throw new Error('build mqlite first: cargo build --release --features native');
    const listen = ['--tcp', `127.0.0.1:${port}`, '--ws', `127.0.0.1:${webPort}`];
    return [command, ['serve', '--config', `${folder}/mqlite.toml`, ...where, ...listen], { RUST_LOG: 'error' }];
  },
  mosquitto: ({ port, webPort, folder, stored }) => {
    writeFileSync(`${folder}/mosquitto.conf`, mosquitto(port, webPort, stored ? stored(folder) : 'persistence false'));
    return [MOSQUITTO, ['-c', `${folder}/mosquitto.conf`]];
  },
  rumqttd: ({ port, webPort, fivePort, folder }) => {
    writeFileSync(`${folder}/rumqttd.toml`, rumqttd(port, webPort, fivePort));
    return [`${folders}/rumqttd/release/rumqttd-command`, [`${folder}/rumqttd.toml`], { RUST_LOG: 'error' }];
  },
  aedes: ({ port, webPort }) => [process.execPath, [fileURLToPath(new URL('aedes.mjs', import.meta.url)), `${port}`, `${webPort}`]],
};

/** Runs `body` with a broker that has just been started and has the measured core to itself, and ends it. */
export async function withBroker(name, { stored, web = false, version = 4 }, body) {
  mkdirSync(folders, { recursive: true });
  const folder = mkdtempSync(`${folders}/${name}-`);
  try {
    const [port, webPort, fivePort] = await freePorts(3);
    const [command, args, env] = BROKERS[name]({ port, webPort, fivePort, folder, stored });
    const server = await start(command, args, { core: MEASURED_CORE, cwd: folder, env });
    try {
      const used = web ? webPort : version === 5 && name === 'rumqttd' ? fivePort : port;
      await listening(used, server);
      return await body({ port: used, pid: server.pid });
    } finally {
      await server.kill();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What mosquitto keeps on disk: by itself every half hour, or as near to each change as it can. */
export const AUTOSAVE = (folder) => `persistence true\npersistence_location ${folder}/`;
export const AUTOSAVE_ON_CHANGES = (folder) => `${AUTOSAVE(folder)}\nautosave_on_changes true\nautosave_interval 1`;

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function listening(port, server) {
  let isOver = false;
  server.ended.then(() => (isOver = true));
  for (const begun = Date.now(); ; ) {
    const socket = connect(port, '127.0.0.1');
    const outcome = await Promise.race([once(socket, 'connect').then(() => 'open'), once(socket, 'error').catch(() => 'refused')]).catch(() => 'refused');
    socket.destroy();
    if (outcome === 'open') return;
    if (isOver) throw new Error(`${server.command} ended: ${server.lines.slice(-3).join(' / ')}`);
    if (Date.now() - begun > 10_000) throw new Error(`${server.command} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Debian keeps it where not every PATH leads. */
export const MOSQUITTO = '/usr/sbin/mosquitto';

const MQLITE = `connectionRate = { perSecond = 1000000, burst = 1000000 }

[limits]
maximumConnections = 20000
maximumSessions = 40000
maximumInFlight = 65535
receiveMaximum = 65535
publishMessagesPerSecond = 4000000000
publishBytesPerSecond = 4000000000
requestsPerSecond = 1000000
maximumSubscriptions = 100000
maximumSubscriptionBytes = 1000000000
maximumQueuedMessages = 1000000
maximumQueuedBytes = 1000000000
sendBuffer = 1000000000
maximumRetainedMessages = 1000000
maximumRetainedBytes = 1000000000
maximumMessageBytes = 2000000000
sysIntervalSeconds = 0
`;

const mosquitto = (port, webPort, persistence) => `user root
allow_anonymous true
log_dest none
sys_interval 0
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
max_queued_bytes 0
${persistence}
listener ${port} 127.0.0.1
listener ${webPort} 127.0.0.1
protocol websockets
`;

const rumqttd = (port, webPort, fivePort) => {
  const server = (kind, at) => `
[${kind}.1]
name = "${kind}-1"
listen = "127.0.0.1:${at}"
next_connection_delay_ms = 0
[${kind}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 500
dynamic_filters = true
`;
  return `id = 0
[router]
id = 0
max_connections = 20010
max_outgoing_packet_count = 200000
max_segment_size = 104857600
max_segment_count = 10
${server('v4', port)}${server('v5', fivePort)}${server('ws', webPort)}`;
};
