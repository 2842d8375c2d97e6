// What the examples use of vitest. tests/packaging runs them in vitest itself.

declare module 'vitest' {
  export function test(name: string, body: () => Promise<void>): void;
  export function expect<T>(value: T): { toBe(expected: T): void };
}
