// What a bearer may do over HTTP.

/** One thing that a bearer may do. */
export type Scope = (typeof SCOPES)[number];

/** All of them. */
export const SCOPES = ['publish', 'subscribe', 'retained', 'clients', 'users', 'metrics', 'backup', 'trace'] as const;

/** Those that a claim names, apart by spaces; `admin` is all. What does not exist counts for nothing. */
export function scopesOf(claim: string): Scope[] {
  const named = new Set(claim.split(' '));
  return SCOPES.filter((scope) => named.has('admin') || named.has(scope));
}
