// Numbers that a test says.

import { MqttError } from '../error.js';

/**
 * @throws MqttError `invalid-options`.
 */
export function mustBeWhole(name: string, value: number, { least = 0, most = Number.MAX_SAFE_INTEGER } = {}): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new MqttError('invalid-options', `${name} must be a whole number ${range}.`);
}
