// CBOR (RFC 8949) by a library, loaded when somebody looks at it.

import { decode } from 'cbor2/decoder';
import { diagnose } from 'cbor2/diagnostic';

/**
 * The value of a payload.
 * @throws when it is no CBOR.
 */
export function decodeCbor(payload: Uint8Array): unknown {
  return decode(payload, { ignoreGlobalTags: true });
}

/**
 * The payload in the diagnostic notation of RFC 8949, 8: every item of it, as it was encoded.
 * @throws when it is no CBOR.
 */
export function showCbor(payload: Uint8Array): string {
  return diagnose(payload, { pretty: true });
}
