// An origin for the pages of a test: each is one script, bundled with the package.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const inFolder = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Serves `/NAME.js` for each script in the folder tab, and a page that runs it at `/NAME`; the first also at `/`. */
export async function serve(names) {
  const { outputFiles } = await build({
    entryPoints: names.map((name) => inFolder(`tab/${name}.mjs`)),
    alias: { 'mqlite/broker': inFolder('../../js/dist/broker.js') },
    bundle: true,
    format: 'esm',
    write: false,
    outdir: '/',
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const server = createServer(({ url }, response) => {
    const script = files.get(url);
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    const name = url === '/' ? names[0] : url.slice(1);
    const page = `<!doctype html><title>${name}</title><script type="module" src="/${name}.js"></script>`;
    response.end(script ?? (files.has(`/${name}.js`) ? page : '<!doctype html><title>empty</title>'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** The text of one of the scripts. */
    script: (name) => new TextDecoder().decode(files.get(`/${name}.js`)),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
