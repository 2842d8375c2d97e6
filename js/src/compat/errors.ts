// The errors that MQTT.js tells by what is in them, and what they are made of.

import { MqttError } from '../error.js';
import type { ISubackPacket } from './types.js';

/** The server said no; `code` is what it answered: a Reason Code, or the return code of MQTT 3.1.1. */
export class ErrorWithReasonCode extends Error {
  readonly code: number;

  constructor(message: string, code: number, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The server said no to a subscription, or to several; `packet.granted` has its answers. */
export class ErrorWithSubackPacket extends Error {
  readonly packet: ISubackPacket;

  constructor(message: string, packet: ISubackPacket) {
    super(message);
    this.packet = packet;
  }
}

/** What the server answered to a CONNECT, as an error. */
export function refusedConnection(error: MqttError, version: 4 | 5): ErrorWithReasonCode {
  const reason = error.reason ?? UNSPECIFIED_ERROR;
  return new ErrorWithReasonCode(error.message, version === 4 ? (RETURN_CODES[reason] ?? reason) : reason, { cause: error });
}

/** What became of a message. */
export function refusedMessage(error: Error): Error {
  if (!(error instanceof MqttError) || error.code !== 'refused' || error.reason === undefined) return error;
  return new ErrorWithReasonCode(error.message, error.reason, { cause: error });
}

/** The return codes of MQTT 3.1.1 for the Reason Codes of MQTT 5. */
const RETURN_CODES: { readonly [reason: number]: number } = { 0x84: 1, 0x85: 2, 0x88: 3, 0x86: 4, 0x87: 5 };

const UNSPECIFIED_ERROR = 0x80;
