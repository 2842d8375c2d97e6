import { defineConfig, type Plugin } from 'vite';
import { offline } from './offline.ts';

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:", // its own is for when there is no network; the other wakes a client with a short Keep Alive while the page is hidden
  "manifest-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws: wss:", // the brokers that a reader names
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

// Only in what is built: the development server injects styles inline.
const withContentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
      injectTo: 'head-prepend',
    },
  ],
};

// What every visit needs is asked for at once, not when the script before it has come.
const withPreloads: Plugin = {
  name: 'preloads',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (_, { bundle = {} }) =>
      Object.values(bundle)
        .filter((file) => file.type === 'chunk' && file.isDynamicEntry && file.facadeModuleId?.endsWith('/dist/broker.js'))
        .map(({ fileName }) => ({ tag: 'link', attrs: { rel: 'modulepreload', href: `./${fileName}` }, injectTo: 'head' as const })),
  },
};

export default defineConfig({
  base: './', // works from any folder of any static server
  plugins: [withContentSecurityPolicy, withPreloads, offline()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the policy allows no `data:` address
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000, // kB: the package carries its WebAssembly
    rolldownOptions: {
      // One file, for each takes time; what works without the page stays by itself.
      output: { codeSplitting: { groups: [{ name: 'page', tags: ['$initial'], test: /^(?!.*service-worker)/ }] } },
    },
  },
});
