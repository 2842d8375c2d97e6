// What Cloudflare does with static files, for the Worker on this machine: those of a folder, with their types.

const TYPES = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
};

export default {
  async fetch(request, { FILES }) {
    const { pathname } = new URL(request.url);
    const type = TYPES[pathname.split('.').pop()];
    const { status, body } = await FILES.fetch(`http://files${pathname}`);
    // A folder is a list of its files, which nobody is to see.
    if (status !== 200 || !type) {
      await body?.cancel();
      return new Response(null, { status: 404 });
    }
    return new Response(request.method === 'HEAD' ? null : body, { headers: { 'Content-Type': type } });
  },
};
