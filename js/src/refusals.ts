// Which Reason Codes end a client for good.

import type { Next } from './status.js';

/**
 * What a client does after a server has refused it, or has sent it away, with this Reason Code. Others are tried again later.
 *
 * | Reason Code | |
 * | --- | --- |
 * | 0x81 Malformed Packet, 0x82 Protocol Error | the same would be sent again |
 * | 0x84 Unsupported Protocol Version | after the other version was tried, where that may be |
 * | 0x85 Client Identifier not valid | |
 * | 0x86 Bad User Name or Password, 0x87 Not authorized | unless the credentials or the server are asked for at each attempt |
 * | 0x8A Banned, 0x8C Bad authentication method | |
 * | 0x8E Session taken over | two clients with one Client Identifier would send each other away for ever |
 * | 0x8F Topic Filter invalid, 0x90 Topic Name invalid, 0x95 Packet too large, 0x99 Payload format invalid | the same would be sent again |
 * | 0x9A Retain, 0x9B QoS, 0x9E Shared, 0xA1 identified, 0xA2 wildcard Subscriptions not supported | the same would be asked again |
 * | 0x9D Server moved | when its Server Reference is not followed |
 */
export function afterReason(reason: number, { asksAgain }: { asksAgain: boolean }): Next {
  if (CREDENTIALS.has(reason) && asksAgain) return 'later';
  return FINAL.has(reason) || CREDENTIALS.has(reason) ? 'never' : 'later';
}

const FINAL = new Set([
  0x81, 0x82, 0x84, 0x85, 0x8a, 0x8c, 0x8e, 0x8f, 0x90, 0x95, 0x99, 0x9a, 0x9b, 0x9d, 0x9e, 0xa1, 0xa2,
]);

const CREDENTIALS = new Set([0x86, 0x87]);
