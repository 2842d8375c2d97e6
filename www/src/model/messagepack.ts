// MessagePack by a library, loaded when somebody looks at it.

import { Decoder, ExtensionCodec } from '@msgpack/msgpack';
import { Marked, notation } from './notation.ts';

/**
 * The value of a payload.
 * @throws when it is no MessagePack, or has a name twice in a map: the value would not show the first one.
 */
export function decodeMessagePack(payload: Uint8Array): unknown {
  let names = 0;
  const most = payload.byteLength; // a length that is claimed is not believed
  const decoder = new Decoder({
    useBigInt64: true,
    extensionCodec: new Marks(),
    maxArrayLength: most,
    maxMapLength: most,
    mapKeyConverter(name) {
      names += 1;
      return typeof name === 'string' || typeof name === 'number' ? name : notation(name);
    },
  });
  const value = decoder.decode(payload);
  if (namesIn(value) !== names) throw new Error('A name stands twice in a map.');
  return value;
}

/** The value of a payload as text. */
export function showMessagePack(payload: Uint8Array): string {
  return notation(decodeMessagePack(payload));
}

/** Leaves every extension type as it is, timestamps too: a Date would lose their nanoseconds. */
class Marks extends ExtensionCodec {
  override decode(data: Uint8Array, type: number): unknown {
    return new Marked(type, data.slice());
  }
}

function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Marked) return 0;
  const children = Object.values(value);
  const own = Array.isArray(value) ? 0 : children.length;
  return children.reduce<number>((names, child) => names + namesIn(child), own);
}
