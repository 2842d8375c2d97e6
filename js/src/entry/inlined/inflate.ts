// WebAssembly as text in a script: no bundler has to find it. Deflated, because base64 hides from gzip what it could save.

import { MqttError } from '../../error.js';

/**
 * The bytes that were deflated, in zlib's format, and written in base64.
 * @throws MqttError `unsupported`.
 */
export function inflate(base64: string): Promise<ArrayBuffer> {
  if (typeof DecompressionStream !== 'function') {
    throw new MqttError('unsupported', 'This platform has no DecompressionStream, which unpacks the WebAssembly.', {
      hint: 'Import from mqlite/url or mqlite/slim instead, which take it as a file.',
    });
  }
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  // Not by a Blob: the one of jsdom, in which many tests run, makes no stream.
  const deflated = new Response(bytes).body as ReadableStream<Uint8Array<ArrayBuffer>>;
  return new Response(deflated.pipeThrough(new DecompressionStream('deflate'))).arrayBuffer();
}
