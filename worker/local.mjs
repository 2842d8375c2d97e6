// Runs what `npm run build` made, the very files that a deployment uploads, in workerd on loopback.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import workerd from 'workerd';
import { unstable_readConfig } from 'wrangler';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Starts workerd and resolves when it listens. `project` is the Worker's folder, by default this one; `port` 0 takes a free one.
 * `data` is a folder that outlives it; without one its data goes with it. `entry` is the path of a module that stands before the
 * Worker's own, `./index.js` to it, and may use `workerd:unsafe`; `settings` replace those of wrangler.jsonc key by key, and let
 * everybody in unless they say otherwise; `variables` are bound besides, such as secrets; `peers` are other Workers,
 * each a module's text by the name of its Service binding, and `queues` are Queues whose messages workerd hands to such a peer;
 * `callers` are Workers that call the rooms and have a port of their own, each a built module's path by its name, with the bindings
 * `BROKER`, the rooms, and `MQTT`, the Worker itself; `library` replaces the bytes of the WebAssembly; `log` takes each line that
 * workerd writes, and with `isVerbose` those of exceptions that calls throw, too.
 */
export async function start({ project = here, port = 0, data, entry, settings = {}, variables = {}, peers = {}, queues = {}, callers = {}, library, log, isVerbose = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'mqlite-worker-'));
  const objects = data ?? join(folder, 'objects');
  await mkdir(objects, { recursive: true });
  const dist = join(project, 'dist');
  const libraries = (await readdir(dist)).filter((name) => name.endsWith('.wasm'));
  // The first module is the main one.
  const sources = [...(entry ? [entry] : []), ...['index.js', ...libraries].map((name) => join(dist, name))];
  for (const source of sources) await copyFile(source, join(folder, basename(source)));
  for (const name of library ? libraries : []) await writeFile(join(folder, name), library(await readFile(join(dist, name))));
  const wrangler = unstable_readConfig({ config: join(project, 'wrangler.jsonc') });
  const SETTINGS = { ...wrangler.vars?.SETTINGS, authentication: { anonymous: true }, log: { level: 'error' }, ...settings };
  const flags = entry ? ['unsafe_module'] : [];
  for (const [name, text] of Object.entries(peers)) await writeFile(join(folder, `${name}.peer.js`), text);
  await copyFile(join(here, 'local-assets.js'), join(folder, 'local-assets.js'));
  if (wrangler.assets) wrangler.assets.directory = resolve(project, wrangler.assets.directory);
  const modules = sources.map((source) => basename(source));
  for (const [name, path] of Object.entries(callers)) await copyFile(path, join(folder, `${name}.caller.js`));
  const bound = { variables: { SETTINGS, ...variables }, peers, queues, callers };
  await writeFile(join(folder, 'config.capnp'), configuration(wrangler, objects, modules, flags, bound));

  const callerPorts = Object.keys(callers).flatMap((name) => ['--socket-addr', `${name}=127.0.0.1:0`]);
  const server = spawn(
    workerd.default,
    ['serve', 'config.capnp', '--socket-addr', `http=127.0.0.1:${port}`, ...callerPorts, '--control-fd=3', ...(entry ? ['--experimental'] : []), ...(isVerbose ? ['--verbose'] : [])],
    { cwd: folder, stdio: ['ignore', log ? 'pipe' : 'inherit', log ? 'pipe' : 'inherit', 'pipe'] },
  );
  const exited = once(server, 'exit').then(() => rm(folder, { recursive: true, force: true }));
  for (const output of log ? [server.stdout, server.stderr] : []) createInterface(output).on('line', log);
  const ports = await listening(server.stdio[3], 1 + Object.keys(callers).length);
  if (!ports) {
    await exited;
    throw new Error('workerd ended before it listened.');
  }
  return {
    port: ports.http,
    /** By the names of `callers`, and `http`. */
    ports,
    pid: server.pid,
    /** Resolves when workerd is gone. */
    exited,
    /** Ends workerd at once: asked politely it would wait for open WebSockets. */
    stop() {
      server.kill('SIGKILL');
      return exited;
    },
  };
}

function configuration({ assets, compatibility_date, vars, durable_objects }, objects, modules, flags, { variables, peers, queues, callers }) {
  const list = (items) => `[\n    ${items.join(',\n    ')},\n  ]`;
  const module = (name) => `(name = "${name}", ${name.endsWith('.wasm') ? 'wasm' : 'esModule'} = embed "${name}")`;
  const variable = ([name, value]) => `(name = "${name}", json = ${JSON.stringify(JSON.stringify(value))})`;
  const object = ({ class_name }) => `(className = "${class_name}", uniqueKey = "${class_name}", enableSql = true)`;
  const objectBinding = ({ name, class_name }) => `(name = "${name}", durableObjectNamespace = "${class_name}")`;
  const peer = (name) => `(name = "${name}", worker = (compatibilityDate = "${compatibility_date}", modules = [(name = "main.js", esModule = embed "${name}.peer.js")]))`;
  // Both have the WebAssembly, which a client takes too.
  const caller = (name) => `(name = "${name}", worker = (
    compatibilityDate = "${compatibility_date}",
    modules = ${list([`(name = "main.js", esModule = embed "${name}.caller.js")`, ...modules.filter((name) => name.endsWith('.wasm')).map(module)])},
    bindings = [
      (name = "BROKER", durableObjectNamespace = (className = "${durable_objects.bindings[0].class_name}", serviceName = "worker")),
      (name = "MQTT", service = "worker"),
    ],
  ))`;
  const services = [
    '(name = "worker", worker = .worker)',
    `(name = "objects", disk = (path = ${JSON.stringify(objects)}, writable = true))`,
    // Webhooks of this machine.
    '(name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true)))',
    ...Object.keys(peers).map(peer),
    ...Object.keys(callers).map(caller),
    ...(assets ? ['(name = "assets", worker = .assets)', `(name = "files", disk = (path = ${JSON.stringify(assets.directory)}))`] : []),
  ];
  const bindings = [
    ...durable_objects.bindings.map(objectBinding),
    ...(assets ? [`(name = "${assets.binding}", service = "assets")`] : []),
    ...Object.entries({ ...vars, ...variables }).map(variable),
    ...Object.keys(peers).map((name) => `(name = "${name}", service = "${name}")`),
    ...Object.entries(queues).map(([name, peer]) => `(name = "${name}", queue = "${peer}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = ${list(services)},
  sockets = ${list([`(name = "http", http = (), service = "worker")`, ...Object.keys(callers).map((name) => `(name = "${name}", http = (), service = "${name}")`)])},
);

const worker :Workerd.Worker = (
  compatibilityDate = "${compatibility_date}",
  compatibilityFlags = ${JSON.stringify(flags)},
  modules = ${list(modules.map(module))},
  bindings = ${list(bindings)},
  durableObjectNamespaces = ${list(durable_objects.bindings.map(object))},
  durableObjectStorage = (localDisk = "objects"),
);

const assets :Workerd.Worker = (
  compatibilityDate = "${compatibility_date}",
  modules = [(name = "local-assets.js", esModule = embed "local-assets.js")],
  bindings = [(name = "FILES", service = "files")],
);
`;
}

/** The ports of so many sockets, by their names; `undefined` when there is an end before. */
async function listening(stream, count) {
  const ports = {};
  for await (const line of createInterface(stream)) {
    const { event, socket, port } = JSON.parse(line);
    if (event === 'listen') ports[socket] = port;
    if (Object.keys(ports).length === count) return ports;
  }
}
