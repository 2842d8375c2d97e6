// Starts workerd with the built Worker and the objects that it is measured beside: all get the same configuration.

import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MEASURED_CORE, start } from '../processes.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const dist = path('../../../worker/dist');

/**
 * Starts workerd with an empty folder of data. Of `ports`, `objects` serves those of objects.js at `/KIND/NAME`, `broker` the Worker at
 * `/mqtt/ROOM`.
 */
export async function startWorkerd({ core = MEASURED_CORE, options = [] } = {}) {
  const workerd = createRequire(path('../../../worker/package.json'))('workerd').default;
  const folder = await mkdtemp(join(tmpdir(), 'mqlite-bench-'));
  await mkdir(join(folder, 'data'));
  // The first module is the main one.
  const built = ['index.js', ...(await readdir(dist)).filter((name) => name.endsWith('.wasm'))];
  for (const name of built) await copyFile(join(dist, name), join(folder, name));
  await copyFile(path('objects.js'), join(folder, 'objects.js'));
  await writeFile(join(folder, 'config.capnp'), configuration(built));
  const ports = {};
  const onLine = (line) => {
    const { event, socket, port } = line.startsWith('{') ? JSON.parse(line) : {};
    if (event === 'listen') ports[socket] = port;
    else if (event === 'listen-inspector') ports.inspector = port;
    else console.warn(line);
  };
  const server = await start(workerd, ['serve', 'config.capnp', '--control-fd=1', ...options], {
    core,
    cwd: folder,
    ready: /"listen","socket":"broker"/,
    onLine,
  });
  return {
    ports,
    server,
    async stop() {
      // Asked politely it would wait for open WebSockets.
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(built) {
  const date = 'compatibilityDate = "2026-11-01"';
  const object = (name) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`;
  const binding = (name, kind = name) => `(name = "${name}", durableObjectNamespace = "${kind}")`;
  const module = (name) => `(name = "${name}", ${name.endsWith('.wasm') ? 'wasm' : 'esModule'} = embed "${name}")`;
  const kinds = ['Echo', 'Commit', 'Fan'];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "objects", worker = (
      ${date},
      modules = [${module('objects.js')}],
      bindings = [${kinds.map((kind) => binding(kind)).join(', ')}],
      durableObjectNamespaces = [${kinds.map(object).join(', ')}],
      durableObjectStorage = (localDisk = "data"),
    )),
    (name = "broker", worker = (
      ${date},
      modules = [${built.map(module).join(', ')}],
      bindings = [${binding('BROKER', 'MqttBroker')}, (name = "SETTINGS", json = ${JSON.stringify(JSON.stringify(SETTINGS))})],
      durableObjectNamespaces = [${object('MqttBroker')}],
      durableObjectStorage = (localDisk = "data"),
    )),
    (name = "data", disk = (path = "data", writable = true)),
  ],
  sockets = [
    (name = "objects", http = (), service = "objects", address = "127.0.0.1:0"),
    (name = "broker", http = (), service = "broker", address = "127.0.0.1:0"),
  ],
);
`;
}

/** The limits are the defaults, but for one scenario that needs more clients. */
const SETTINGS = { authentication: { anonymous: true }, log: { level: 'error' }, limits: { maximumConnections: 6_000, maximumSessions: 6_000 } };
