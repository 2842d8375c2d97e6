// Bytes as a stream, which a call between a Worker and an object carries whatever their number.

/** A stream of bytes that are there. */
export function streamOf(bytes: Uint8Array<ArrayBuffer> | Uint8Array): ReadableStream<Uint8Array> {
  return new Response(bytes).body as ReadableStream<Uint8Array>;
}
