// Builds the service worker with the list of what was built, each file with its digest. Knows nothing of what the files are.

import type { Plugin } from 'vite';

/** Puts `service-worker.js` beside `index.html`. */
export function offline(): Plugin {
  let publicFolder = '';
  return {
    name: 'offline',
    apply: 'build',
    configResolved: ({ publicDir }) => void (publicFolder = publicDir),
    buildStart() {
      this.emitFile({ type: 'chunk', id: './src/offline/service-worker.ts', fileName: WORKER });
    },
    generateBundle: {
      order: 'post',
      async handler(_, bundle) {
        const worker = bundle[WORKER];
        if (worker?.type !== 'chunk' || worker.imports.length > 0) throw new Error('The service worker is to be one file.');
        const files: Record<string, string> = {};
        for (const file of Object.values(bundle)) {
          if (file !== worker) files[file.fileName] = await digest(file.type === 'chunk' ? file.code : file.source);
        }
        for (const name of await this.fs.readdir(publicFolder)) files[name] = await digest(await this.fs.readFile(`${publicFolder}/${name}`));
        const list = JSON.stringify(files, Object.keys(files).sort());
        // By its own code too: one that differs from the former in that alone has another cache.
        const build = JSON.stringify(await digest(list + worker.code));
        worker.code = worker.code.replace('__FILES__', () => list).replace('__BUILD__', () => build);
      },
    },
  };
}

/** As the attribute `integrity` has it. */
async function digest(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content);
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))))}`;
}

const WORKER = 'service-worker.js';
