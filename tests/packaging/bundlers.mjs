// The bundlers, each as it is without configuration. Each takes a project's root and an app, and returns the folder with what it made.
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import * as vite from 'vite';
import webpack from 'webpack';
import { writePage } from './project.mjs';

export const browserBundlers = {
  async Vite(root, app) {
    await writePage(root, '.', `./${app}`);
    await vite.build({ root, logLevel: 'error', build: { outDir: 'dist' } });
    return join(root, 'dist');
  },

  async webpack(root, app) {
    await runWebpack(root, app, 'web');
    return writePage(root, 'dist', './main.js');
  },

  async esbuild(root, app) {
    await esbuild.build({ ...common(root, app), format: 'esm', outfile: join(root, 'dist/main.mjs') });
    return writePage(root, 'dist', './main.mjs');
  },

  async rollup(root, app) {
    // Rollup itself knows no node_modules.
    const bundle = await rollup({ input: join(root, app), plugins: [nodeResolve({ browser: true })] });
    await bundle.write({ dir: join(root, 'dist'), entryFileNames: 'main.mjs' });
    return writePage(root, 'dist', './main.mjs');
  },
};

/** For the server that renders pages, as that of Next is built: one file for Node, which has the package inside. */
export const serverBundlers = {
  async webpack(root, app) {
    await runWebpack(root, app, 'node');
    return join(root, 'dist/main.js');
  },

  async esbuild(root, app) {
    const outfile = join(root, 'dist/main.mjs');
    await esbuild.build({ ...common(root, app), format: 'esm', platform: 'node', external: ['ws'], outfile });
    return outfile;
  },
};

/** As wrangler does it: a .wasm file that is imported stays a file, and becomes a module of the Worker. */
export async function bundleForWorkers(root, app) {
  await esbuild.build({
    ...common(root, app),
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    outdir: join(root, 'dist'),
    entryNames: 'main',
  });
  return join(root, 'dist');
}

/** A development server, which the caller closes. */
export async function serveWithVite(root, app) {
  await writePage(root, '.', `./${app}`, '<link rel="icon" href="data:,">');
  const server = await vite.createServer({ root, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } });
  await server.listen();
  return server;
}

const common = (root, app) => ({ absWorkingDir: root, entryPoints: [app], bundle: true, minify: true, logLevel: 'error' });

async function runWebpack(root, app, target) {
  const compiler = webpack({
    mode: 'production',
    context: root,
    entry: `./${app}`,
    output: { path: join(root, 'dist') },
    target,
    externals: target === 'node' ? { ws: 'commonjs ws' } : {},
    performance: false, // or it warns of each file of more than 244 KiB
  });
  const stats = await promisify(compiler.run).call(compiler);
  await promisify(compiler.close).call(compiler);
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString('errors-warnings'));
}
