// What may be said of a user or in a token, from whoever says it: names, grants, Client Identifiers.

import type { Grant } from 'mqlite/broker';

/** Whether a user may be called so: 1 to 256 bytes without control characters. */
export function isUserName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= 256 && bytesOf(name) <= 256 && !/[\p{Cc}\p{Cs}]/u.test(name);
}

/** Whether these are grants, and say nothing that grants cannot say. What is not understood must not widen or narrow a right. */
export function isGrants(value: unknown): value is Grant[] {
  return Array.isArray(value) && value.length <= MAXIMUM_LIST && value.every(isGrant);
}

/** Whether these are patterns of Client Identifiers. */
export function isClientIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAXIMUM_LIST && value.every((pattern) => typeof pattern === 'string' && pattern !== '' && pattern.length <= 1_024);
}

function isGrant(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return 'filter' in value && Object.entries(value).every(([key, part]) => Object.hasOwn(PARTS, key) && PARTS[key as keyof Grant](part));
}

/** A Topic Filter (4.7), which may have `%c` and `%u` in it. */
export function isFilter(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.length > 65_535 || value.includes('\u0000')) return false;
  const levels = value.split('/');
  return levels.every((level, index) => (level === '#' ? index === levels.length - 1 : level === '+' || !/[+#]/.test(level)));
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

const isBoolean = (value: unknown) => typeof value === 'boolean';

const PARTS: Record<keyof Grant, (value: unknown) => boolean> = {
  filter: isFilter,
  publish: isBoolean,
  subscribe: isBoolean,
  maximumQos: (value) => value === 0 || value === 1 || value === 2,
  retain: isBoolean,
};

/** Entries of one list. */
const MAXIMUM_LIST = 256;
