// Bytes that read as text, as those of Node's Buffer do.

/** A Uint8Array whose text is what the bytes say: in a template, with `String()`, `JSON.parse()` or `Number()`. */
export class Bytes extends Uint8Array<ArrayBuffer> {
  /** A view on the same bytes. */
  static over(bytes: Uint8Array): Bytes {
    return new Bytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * The bytes as text: in `utf8`, `hex`, `base64`, `base64url`, `latin1`, `binary` or `ascii`.
   * @throws TypeError for another encoding.
   */
  override toString(encoding: string = 'utf8', start = 0, end = this.length): string {
    const part = new Uint8Array(this.buffer, this.byteOffset, this.byteLength).subarray(start, end);
    const write = ENCODINGS[encoding.toLowerCase().replace('-', '')];
    const known = Object.keys(ENCODINGS).join(', ');
    if (!write) throw new TypeError(`There is no encoding "${encoding}" here, but ${known}.`);
    return write(part);
  }

  /** What JSON says of them, as of a Buffer. */
  toJSON(): { type: 'Buffer'; data: number[] } {
    return { type: 'Buffer', data: [...this] };
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, index) => byte === other[index]);
  }
}

const ENCODINGS: { [name: string]: ((bytes: Uint8Array) => string) | undefined } = {
  utf8: (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  hex: (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  base64: (bytes) => btoa(characters(bytes)),
  base64url: (bytes) => btoa(characters(bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
  latin1: characters,
  binary: characters,
  ascii: (bytes) => characters(bytes.map((byte) => byte & 0x7f)),
};

function characters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
