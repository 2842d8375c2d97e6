// Whether what somebody said is what can be said. The ranges of numbers are the engine's to check.

import { MqttError } from './error.js';
import type { Payload, PublishOptions } from './message.js';
import { toBytes } from './transport.js';

/** What a value may be. A list in brackets holds any number of the one thing in it. */
export type Kind = keyof typeof KINDS | Shape | readonly [Kind];

/** An object and what its members may be; none is required. */
export interface Shape {
  readonly [name: string]: Kind;
}

/** The shape of an object of type T: every member of it, and no other. */
export type ShapeOf<T> = { readonly [name in keyof T]-?: Kind };

/**
 * The members that are there: to say `undefined` and to leave out is the same.
 * @throws MqttError `invalid-options` for a member that does not exist, which would be ignored, or has the wrong type.
 */
export function checked<T extends object>(options: T, shape: ShapeOf<T>): Partial<T> {
  return check('', options, shape as unknown as Shape) as Partial<T>;
}

/** Whether they are right, and say no more than most messages need: then there is nothing to be looked up or copied. */
export function areBrief(options: PublishOptions): boolean {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false;
  for (const name in options) {
    if (name === 'qos') {
      const { qos } = options;
      if (qos !== 0 && qos !== 1 && qos !== 2 && qos !== undefined) return false;
    } else if (name !== 'retain' || (typeof options.retain !== 'boolean' && options.retain !== undefined)) {
      return false;
    }
  }
  return true;
}

/**
 * @throws MqttError `invalid-options`.
 */
export function checkText(name: string, value: string): void {
  check(name, value, 'text');
}

/**
 * @throws MqttError `invalid-options`.
 */
export function checkNumber(name: string, value: number): void {
  check(name, value, 'number');
}

/**
 * @throws MqttError `invalid-options`.
 */
export function checkBytes(name: string, value: Uint8Array): void {
  check(name, value, 'bytes');
}

/**
 * The bytes of what is to be published: text as UTF-8, values as JSON.
 * @throws MqttError `invalid-options`.
 */
export function payloadBytes(payload: Payload): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  check('payload', payload, 'payload');
  if (typeof payload === 'string') return UTF_8.encode(payload);
  return toBytes(payload) ?? jsonBytes(payload);
}

function jsonBytes(value: unknown): Uint8Array {
  let text: unknown;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (typeof text === 'string') return UTF_8.encode(text);
  throw new MqttError('invalid-options', `payload ${KINDS.payload.sentence}.`, { cause });
}

function check(name: string, value: unknown, kind: Kind): unknown {
  if (typeof kind === 'string') {
    const { test, sentence } = KINDS[kind];
    if (!test(value)) throw new MqttError('invalid-options', `${name || 'The argument'} ${sentence}.`);
    return value;
  }
  if (isList(kind)) {
    if (!Array.isArray(value)) throw new MqttError('invalid-options', `${name} is a list.`);
    return value.map((item, index) => check(`${name}[${index}]`, item, kind[0]));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MqttError('invalid-options', `${name || 'The options'} must be an object.`);
  }
  const known: { [name: string]: unknown } = {};
  for (const member of Object.keys(value)) {
    const said = (value as { [name: string]: unknown })[member];
    if (said !== undefined) known[member] = checkMember(name, member, said, kind);
  }
  return known;
}

function checkMember(owner: string, name: string, value: unknown, shape: Shape): unknown {
  const path = owner ? `${owner}.${name}` : name;
  const kind = Object.hasOwn(shape, name) ? shape[name] : undefined;
  if (kind !== undefined) return check(path, value, kind);
  throw new MqttError('invalid-options', `There is no option "${path}".`, {
    hint: `There are ${Object.keys(shape).join(', ')}.`,
  });
}

function isList(kind: Shape | readonly [Kind]): kind is readonly [Kind] {
  return Array.isArray(kind);
}

const UTF_8 = new TextEncoder();

const KINDS = {
  text: {
    test: isText,
    sentence: 'must be a string, without half of a surrogate pair',
  },
  number: { test: (value: unknown) => typeof value === 'number' && !Number.isNaN(value), sentence: 'must be a number' },
  byte: {
    test: (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255,
    sentence: 'must be a whole number from 0 to 255',
  },
  boolean: { test: (value: unknown) => typeof value === 'boolean', sentence: 'must be true or false' },
  function: { test: (value: unknown) => typeof value === 'function', sentence: 'must be a function' },
  choice: {
    test: (value: unknown) => value === false || typeof value === 'function',
    sentence: 'must be a function or false',
  },
  bytes: { test: (value: unknown) => value instanceof Uint8Array, sentence: 'must be a Uint8Array' },
  payload: {
    test: (value: unknown) => isText(value) || toBytes(value) !== undefined || isJson(value),
    sentence: 'must be a string, an ArrayBuffer, a view such as a Uint8Array, or a value that JSON has',
  },
  secret: {
    test: (value: unknown) => isText(value) || value instanceof Uint8Array,
    sentence: 'must be a string or a Uint8Array',
  },
  milliseconds: {
    test: (value: unknown) => typeof value === 'number' && value >= 0,
    sentence: 'must be a number of milliseconds',
  },
  signal: {
    test: (value: unknown) => typeof (value as AbortSignal | null)?.aborted === 'boolean',
    sentence: 'must be an AbortSignal',
  },
  pair: {
    test: (value: unknown) =>
      Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string'),
    sentence: 'must be a pair of strings',
  },
  authentication: {
    test: (value: unknown) => hasMethods(value, ['begin', 'respond']) && isText((value as { method?: unknown }).method),
    sentence: 'must have a method that is a string, and the functions begin and respond',
  },
  timer: {
    test: (value: unknown) => hasMethods(value, ['set', 'clear']),
    sentence: 'must have the methods set and clear',
  },
  storage: {
    test: (value: unknown) => hasMethods(value, ['load', 'commit']),
    sentence: 'must have the methods load and commit',
  },
  transport: {
    test: (value: unknown) => hasMethods(value, ['send', 'close']),
    sentence: 'must have the methods send and close',
  },
  /** Checked where it is used. */
  any: { test: () => true, sentence: '' },
};

function isText(value: unknown): boolean {
  return typeof value === 'string' && !/[\ud800-\udfff]/u.test(value);
}

/** What JSON says whole. Of most objects with a class it would say `{}`. */
function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'boolean' || Number.isFinite(value) || Array.isArray(value)) return true;
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null || hasMethods(value, ['toJSON']);
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return names.every((name) => typeof (value as { [name: string]: unknown } | null | undefined)?.[name] === 'function');
}
