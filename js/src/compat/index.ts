// The public names of `mqlite/compat` that are the same on every platform.

export { Bytes } from './bytes.js';
export type { MqttClient as CompatClient } from './client.js';
export { ErrorWithReasonCode, ErrorWithSubackPacket } from './errors.js';
export type * from './types.js';
