/** These bytes, in a buffer that holds nothing else. */
export function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return (bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()) as Uint8Array<ArrayBuffer>;
}
