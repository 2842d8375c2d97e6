// Tokens of the contract, signed by Node alone, good and bad.

import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

/** What HS256 is signed with. */
export const JWT_SECRET = 'the-jwt-secret-of-the-access-contract-0123456789';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** What ES256 is checked with. */
export const JWT_PUBLIC_KEY = publicKey.export({ type: 'spki', format: 'pem' });

/** Seconds since 1970, so many from now. */
export const seconds = (fromNow) => Math.floor(Date.now() / 1000) + fromNow;

/** Claims that are good, but for those that are given; one that is `undefined` is left out. */
export const claimsOf = (more = {}) => ({ sub: 'ada', exp: seconds(600), iss: 'the-issuer', aud: 'mqtt', ...more });

/** A token of HS256. */
export function hs256(claims = {}, { secret = JWT_SECRET, header = {} } = {}) {
  return joined({ alg: 'HS256', typ: 'JWT', ...header }, claimsOf(claims), (input) => createHmac('sha256', secret).update(input).digest());
}

/** A token of ES256. */
export function es256(claims = {}, { key = privateKey } = {}) {
  return joined({ alg: 'ES256' }, claimsOf(claims), (input) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }));
}

/** A token that nobody has signed. */
export function unsigned(claims = {}) {
  return joined({ alg: 'none' }, claimsOf(claims), () => '');
}

/** Tokens that nobody must believe, by what is wrong with them. */
export function forged() {
  const [head, , signature] = hs256().split('.');
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    'alg none': unsigned(),
    'another secret': hs256({}, { secret: 'another-secret-of-the-access-contract-0123456' }),
    'another key': es256({}, { key }),
    'the public key as the secret': hs256({}, { secret: JWT_PUBLIC_KEY }),
    'other claims under the signature': [head, part(claimsOf({ sub: 'eve' })), signature].join('.'),
    'no signature': `${hs256().split('.').slice(0, 2).join('.')}.`,
  };
}

/** Tokens that are genuine, and good for something else. */
export function unfit() {
  return {
    expired: hs256({ exp: seconds(-60) }),
    'not yet valid': hs256({ nbf: seconds(60) }),
    'without exp': hs256({ exp: undefined }),
    'without sub': hs256({ sub: undefined }),
    'another audience': hs256({ aud: 'web' }),
    'another issuer': es256({ iss: 'the-issuer.evil' }),
    'another room': es256({ room: 'kitchen' }),
    'other rooms': hs256({ room: ['kitchen', 'hall'] }),
    'grants that are none': hs256({ grants: 'all' }),
  };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function joined(header, claims, signature) {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${Buffer.from(signature(input)).toString('base64url')}`;
}
