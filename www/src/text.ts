import { MqttError } from 'mqlite/broker';

/** Characters of a payload that are shown. */
const SHOWN = 2_000;

/** An error as a sentence, and what may help as another. */
export function sentence(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).trim() || 'Something failed without saying why';
  const whole = text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
  return error instanceof MqttError && error.hint ? `${whole} ${error.hint}` : whole;
}

/** The time of day to the millisecond, on the reader's clock. */
export function timeOfDay(time: number): string {
  const date = new Date(time);
  const two = (part: number) => String(part).padStart(2, '0');
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** A payload for people: text if it is UTF-8, else bytes in hexadecimal. Says so when it is cut or empty. */
export function payloadText(payload: Uint8Array): string {
  if (payload.length === 0) return '(empty)';
  try {
    return cut(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload));
  } catch {
    const shown = payload.subarray(0, SHOWN / 4);
    const bytes = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return shown.length < payload.length ? `${bytes} ... (${payload.length} bytes)` : bytes;
  }
}

/** `1 message`, `2 messages`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

function cut(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}... (${text.length} characters)`;
}
