// The body of a request, which is read no further than it may be long.

import type { Failure } from './failure.js';

/**
 * All of it.
 * @throws What `tooLarge` makes, for more bytes than these.
 */
export async function bytesOf(request: Request, most: number, tooLarge: () => Failure): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get('Content-Length') ?? 0) > most) throw tooLarge();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    length += piece.byteLength;
    if (length > most) throw tooLarge();
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.byteLength;
  }
  return bytes;
}

/** The type of the body without its parameters, in lower case. */
export function typeOf(request: Request): string | undefined {
  return request.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
}
