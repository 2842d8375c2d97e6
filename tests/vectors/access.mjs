// Writes access.json anew, with keys of its own: `node tests/vectors/access.mjs`. Signs and hashes by Node alone, so that the
// libraries which read the file have nothing to do with what it says.

import { createHash, createHmac, createPublicKey, generateKeyPairSync, pbkdf2Sync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';

/** Seconds since 1970: the time at which every token is looked at. */
const NOW = 1_800_000_000;

const base64url = (value) => Buffer.from(value).toString('base64url');

// Keys.

function pair(kid, type, options, alg) {
  const { publicKey, privateKey } = generateKeyPairSync(type, options);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { kid, alg, privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }), jwk };
}

const rsa = pair('rsa', 'rsa', { modulusLength: 2048 }, 'RS256');
const ec = pair('ec', 'ec', { namedCurve: 'P-256' }, 'ES256');
const ed = pair('ed', 'ed25519', {}, 'EdDSA');
const others = {
  RS256: pair('rsa', 'rsa', { modulusLength: 2048 }, 'RS256'),
  ES256: pair('ec', 'ec', { namedCurve: 'P-256' }, 'ES256'),
  EdDSA: pair('ed', 'ed25519', {}, 'EdDSA'),
};
const secret = randomBytes(36).toString('base64');
const otherSecret = randomBytes(36).toString('base64');

// Tokens.

const claims = (more) => ({ sub: 'ada', exp: NOW + 3600, ...more });
const part = (value) => base64url(typeof value === 'string' ? value : JSON.stringify(value));
const signed = (header, payload, signature) => {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${base64url(signature(input))}`;
};
const hmacOf = (key) => (input) => createHmac('sha256', key).update(input).digest();
const hs = (payload, key = secret, header) => signed({ alg: 'HS256', typ: 'JWT', ...header }, payload, hmacOf(key));
const byKey = ({ alg, kid, privateKey }, payload, { header, dsaEncoding = 'ieee-p1363' } = {}) =>
  signed({ alg, kid, ...header }, payload, (input) =>
    alg === 'EdDSA' ? sign(null, input, privateKey) : sign('sha256', input, { key: privateKey, dsaEncoding }));

const withSecret = { secret };
const withKey = ({ pem }) => ({ publicKey: pem });
const withJwks = { jwks: true };
const let_in = (more) => ({ userName: 'ada', expiresAt: NOW + 3605, ...more });
const FORGED = { reason: '0x86' };
const NOT_HERE = { reason: '0x87' };
const altered = (token) => {
  const [header, , signature] = token.split('.');
  return [header, part(claims({ sub: 'eve' })), signature].join('.');
};
const grants = [{ filter: 'rooms/%u/#' }, { filter: 'news/#', publish: false, maximumQos: 1, retain: false }];

const tokens = [
  ['HS256', withSecret, hs(claims()), let_in()],
  ['RS256 by a public key', withKey(rsa), byKey(rsa, claims()), let_in()],
  ['ES256 by a public key', withKey(ec), byKey(ec, claims()), let_in()],
  ['EdDSA by a public key', withKey(ed), byKey(ed, claims()), let_in()],
  ['a public key may be a JWK', { publicKey: JSON.stringify(ec.jwk) }, byKey(ec, claims()), let_in()],
  ['RS256 by the JWKS', withJwks, byKey(rsa, claims()), let_in()],
  ['ES256 by the JWKS', withJwks, byKey(ec, claims()), let_in()],
  ['EdDSA by the JWKS', withJwks, byKey(ed, claims()), let_in()],
  ['a secret and a public key: the secret', { secret, publicKey: rsa.pem }, hs(claims()), let_in()],
  ['a secret and a public key: the public key', { secret, publicKey: rsa.pem }, byKey(rsa, claims()), let_in()],
  ['grants, client identifiers and scopes come along', withSecret,
    hs(claims({ grants, clientIds: ['%u', '%u-*'], scope: 'publish retained' })),
    let_in({ grants, clientIds: ['%u', '%u-*'], scopes: ['publish', 'retained'] })],
  ['no grants at all are none', withSecret, hs(claims({ grants: [] })), let_in({ grants: [] })],
  ['a scope that does not exist counts for nothing', withSecret, hs(claims({ scope: 'publish root' })), let_in({ scopes: ['publish'] })],
  ['expired a moment ago, within the leeway', withSecret, hs(claims({ exp: NOW - 3 })), let_in({ expiresAt: NOW + 2 })],
  ['not yet valid, within the leeway', withSecret, hs(claims({ nbf: NOW + 3 })), let_in()],
  ['more leeway where it is set', { ...withSecret, leewaySeconds: 60 }, hs(claims({ exp: NOW - 30 })), let_in({ expiresAt: NOW + 30 })],
  ['a fraction of a second is allowed in exp', withSecret, hs(claims({ exp: NOW + 100.5 })), let_in({ expiresAt: NOW + 105.5 })],
  ['the right issuer', { ...withSecret, issuer: 'https://issuer.example' }, hs(claims({ iss: 'https://issuer.example' })), let_in()],
  ['the right audience', { ...withSecret, audience: 'mqtt' }, hs(claims({ aud: 'mqtt' })), let_in()],
  ['the right audience among others', { ...withSecret, audience: 'mqtt' }, hs(claims({ aud: ['web', 'mqtt'] })), let_in()],
  ['an issuer and an audience that nobody asks for', withSecret, hs(claims({ iss: 'anybody', aud: 'anything' })), let_in()],
  ['for this room', { ...withSecret, room: 'kitchen' }, hs(claims({ room: 'kitchen' })), let_in()],
  ['for this room among others', { ...withSecret, room: 'kitchen' }, hs(claims({ room: ['hall', 'kitchen'] })), let_in()],
  ['for all rooms', { ...withSecret, room: 'kitchen' }, hs(claims({ room: '*' })), let_in()],
  ['for the default room by name', withSecret, hs(claims({ room: 'default' })), let_in()],

  ['alg none', withSecret, signed({ alg: 'none' }, claims(), () => ''), FORGED],
  ['alg none, written otherwise', withSecret, signed({ alg: 'nOnE' }, claims(), () => ''), FORGED],
  ['alg none where the setting names it', { ...withSecret, algorithms: ['none', 'HS256'] }, signed({ alg: 'none' }, claims(), () => ''), FORGED],
  ['no alg', withSecret, signed({}, claims(), hmacOf(secret)), FORGED],
  ['another secret', withSecret, hs(claims(), otherSecret), FORGED],
  ['an empty secret', withSecret, hs(claims(), ''), FORGED],
  ['another RSA key', withKey(rsa), byKey(others.RS256, claims()), FORGED],
  ['another EC key', withKey(ec), byKey(others.ES256, claims()), FORGED],
  ['another Ed25519 key', withKey(ed), byKey(others.EdDSA, claims()), FORGED],
  ['another key under a name of the JWKS', withJwks, byKey(others.RS256, claims()), FORGED],
  ['a name that the JWKS does not have', withJwks, byKey({ ...rsa, kid: 'unknown' }, claims()), FORGED],
  ['an RSA key for an EC token', withKey(rsa), byKey(ec, claims()), FORGED],
  ['HS256 with the public key as the secret', withKey(rsa), hs(claims(), rsa.pem), FORGED],
  ['HS256 with the public key as the secret, without its last line break', withKey(rsa), hs(claims(), rsa.pem.trim()), FORGED],
  ['HS256 with the DER of the public key as the secret', withKey(rsa),
    hs(claims(), createPublicKey(rsa.pem).export({ type: 'spki', format: 'der' })), FORGED],
  ['HS256 with the public key as the secret, by the JWKS', withJwks, hs(claims(), rsa.pem, { kid: 'rsa' }), FORGED],
  ['HS256 with the public key where there is a secret too', { secret, publicKey: rsa.pem }, hs(claims(), rsa.pem), FORGED],
  ['an algorithm that the setting leaves out', { secret, publicKey: rsa.pem, algorithms: ['RS256'] }, hs(claims()), FORGED],
  ['HS384 where HS256 is meant', withSecret,
    signed({ alg: 'HS384' }, claims(), (input) => createHmac('sha384', secret).update(input).digest()), FORGED],
  ['other claims under the signature', withSecret, altered(hs(claims())), FORGED],
  ['no signature', withSecret, hs(claims()).replace(/[^.]*$/, ''), FORGED],
  ['a part of the signature', withSecret, hs(claims()).slice(0, -8), FORGED],
  ['ES256 with zeros', withKey(ec), signed({ alg: 'ES256' }, claims(), () => Buffer.alloc(64)), FORGED],
  ['ES256 in DER', withKey(ec), byKey(ec, claims(), { dsaEncoding: 'der' }), FORGED],
  ['a key that the token brings itself', withKey(ec), byKey(others.ES256, claims(), { header: { jwk: others.ES256.jwk } }), FORGED],
  ['an extension that must be understood', withSecret, hs(claims(), secret, { crit: ['b64'], b64: false }), FORGED],
  ['a header that is no JSON', withSecret, signed('{', claims(), hmacOf(secret)), FORGED],
  ['two parts', withSecret, hs(claims()).split('.').slice(0, 2).join('.'), FORGED],
  ['four parts', withSecret, `${hs(claims())}.e30`, FORGED],
  ['nothing but dots', withSecret, '..', FORGED],
  ['more than 8,192 bytes', withSecret, hs(claims({ note: 'n'.repeat(9000) })), FORGED],

  ['expired', withSecret, hs(claims({ exp: NOW - 60 })), NOT_HERE],
  ['not yet valid', withSecret, hs(claims({ nbf: NOW + 60 })), NOT_HERE],
  ['no exp', withSecret, hs({ sub: 'ada' }), NOT_HERE],
  ['exp is a text', withSecret, hs(claims({ exp: `${NOW + 3600}` })), NOT_HERE],
  ['exp is beyond any calendar', withSecret, hs(claims({ exp: 1e300 })), NOT_HERE],
  ['no sub', withSecret, hs({ exp: NOW + 3600 }), NOT_HERE],
  ['an empty sub', withSecret, hs(claims({ sub: '' })), NOT_HERE],
  ['sub is a number', withSecret, hs(claims({ sub: 7 })), NOT_HERE],
  ['sub with a control character', withSecret, hs(claims({ sub: 'a\u0000b' })), NOT_HERE],
  ['sub of more than 256 bytes', withSecret, hs(claims({ sub: 'é'.repeat(129) })), NOT_HERE],
  ['another issuer', { ...withSecret, issuer: 'https://issuer.example' }, hs(claims({ iss: 'https://issuer.example.evil' })), NOT_HERE],
  ['no issuer', { ...withSecret, issuer: 'https://issuer.example' }, hs(claims()), NOT_HERE],
  ['another audience', { ...withSecret, audience: 'mqtt' }, hs(claims({ aud: ['web', 'mqtts'] })), NOT_HERE],
  ['no audience', { ...withSecret, audience: 'mqtt' }, hs(claims()), NOT_HERE],
  ['no room is the default room alone', { ...withSecret, room: 'kitchen' }, hs(claims()), NOT_HERE],
  ['another room', withSecret, hs(claims({ room: 'kitchen' })), NOT_HERE],
  ['another room, whose name begins alike', { ...withSecret, room: 'kitchen' }, hs(claims({ room: 'kit*' })), NOT_HERE],
  ['no room of the list', { ...withSecret, room: 'kitchen' }, hs(claims({ room: ['hall', 'default'] })), NOT_HERE],
  ['a room that is no text', withSecret, hs(claims({ room: { default: true } })), NOT_HERE],
  ['grants that are no list', withSecret, hs(claims({ grants: { filter: '#' } })), NOT_HERE],
  ['a grant without a filter', withSecret, hs(claims({ grants: [{ publish: true }] })), NOT_HERE],
  ['a grant that says something unknown', withSecret, hs(claims({ grants: [{ filter: '#', subscribes: false }] })), NOT_HERE],
  ['a grant with a QoS that does not exist', withSecret, hs(claims({ grants: [{ filter: '#', maximumQos: 3 }] })), NOT_HERE],
  ['client identifiers that are no list', withSecret, hs(claims({ clientIds: '%u' })), NOT_HERE],
  ['claims that are no object', withSecret, hs('[]'), NOT_HERE],
].map(([name, { room = 'default', secret: hmac, publicKey, jwks, ...jwt }, token, outcome]) => ({
  name, ...(hmac && { secret: hmac }), ...(publicKey && { publicKey }), ...(jwks && { jwks }),
  ...(Object.keys(jwt).length > 0 && { jwt }), room, token, outcome,
}));

// Passwords.

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

function keysOf(password, salt, iterations) {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  return { clientKey, storedKey: sha256(clientKey), serverKey: hmac(salted, 'Server Key') };
}

function verifierOf(password, salt = randomBytes(16), iterations = 4096) {
  const { storedKey, serverKey } = keysOf(password, salt, iterations);
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
}

const pencil = verifierOf('pencil');
const [, numbers, hashes] = pencil.split('$');
const verifiers = [
  ['the right password', 'pencil', pencil, true],
  ['the right password, 100,000 iterations', 'correct horse', verifierOf('correct horse', undefined, 100_000), true],
  ['a wrong password', 'pencil', verifierOf('Pencil'), false],
  ['no password', '', pencil, false],
  ['a beginning', 'penci', pencil, false],
  ['more than it', 'pencil\u0000', pencil, false],
  ['not in normal form: a ligature', 'of\ufb01ce', verifierOf('office'), true],
  ['not in normal form: letters and their accents', 'cafe\u0301', verifierOf('caf\u00e9'), true],
  ['not in normal form: another space, a soft hyphen', 'a\u00a0b\u00adc', verifierOf('a bc'), true],
  ['beyond the basic plane', '🔑🔑🔑', verifierOf('🔑🔑🔑'), true],
  ['a control character', 'pen\u0007cil', verifierOf('pen\u0007cil'), false],
  ['a verifier of another method', 'pencil', pencil.replace('256', '1'), false],
  ['a verifier without iterations', 'pencil', `SCRAM-SHA-256$0:${numbers.split(':')[1]}$${hashes}`, false],
  ['a verifier with more iterations than anybody waits for', 'pencil', `SCRAM-SHA-256$4294967295:${numbers.split(':')[1]}$${hashes}`, false],
  ['a verifier with a short key', 'pencil', `SCRAM-SHA-256$${numbers}$${hashes.slice(4)}`, false],
  ['a verifier without keys', 'pencil', 'SCRAM-SHA-256$4096:c2FsdA==$:', false],
  ['a verifier that is none', 'pencil', 'pencil', false],
].map(([name, password, verifier, matches]) => ({ name, password, verifier, matches }));

// SCRAM.

function exchange(name, { user = 'user', password = 'pencil', as = password, header = 'n,,', binding = header, salt = randomBytes(16),
  clientNonce = randomBytes(15).toString('base64'), serverNonce = randomBytes(15).toString('base64'), bare = `n=${user},r=${clientNonce}`,
  answerNonce = clientNonce + serverNonce, iterations = 4096, proofOf = (proof) => proof, extension = '', refused }) {
  const serverFirst = `r=${clientNonce}${serverNonce},s=${salt.toString('base64')},i=${iterations}`;
  const final = `c=${Buffer.from(binding).toString('base64')},r=${answerNonce}${extension}`;
  const { clientKey, storedKey, serverKey } = keysOf(as, salt, iterations);
  const message = [bare, serverFirst, final].join(',');
  const signature = hmac(storedKey, message);
  const proof = proofOf(clientKey.map((byte, index) => byte ^ signature[index]));
  return {
    name, verifier: verifierOf(password, salt, iterations), serverNonce, clientFirst: header + bare,
    ...(refused === 'first' ? { refused } : {
      serverFirst, clientFinal: `${final},p=${Buffer.from(proof).toString('base64')}`,
      ...(refused ? { refused } : { serverFinal: `v=${hmac(serverKey, message).toString('base64')}` }),
    }),
  };
}

const scram = [
  exchange('the example of RFC 7677', { salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), clientNonce: 'rOprNGfwEbeRWgbNEkqO',
    serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0' }),
  exchange('a client that could bind to a channel', { header: 'y,,' }),
  exchange('an extension that nobody has to know', { extension: ',x=more' }),
  { ...exchange('a name with a comma and an equals sign', { user: 'a=2Cb=3Dc' }), userName: 'a,b=c' },
  exchange('another password', { as: 'crayon', refused: 'final' }),
  exchange('no proof', { proofOf: () => [], refused: 'final' }),
  exchange('a proof of zeros', { proofOf: () => Buffer.alloc(32), refused: 'final' }),
  exchange('a proof that is too long', { proofOf: (proof) => Buffer.concat([proof, Buffer.alloc(1)]), refused: 'final' }),
  exchange('the nonce of the client alone', { clientNonce: 'fyko+d2lbbFgONRv9qkxdawL', answerNonce: 'fyko+d2lbbFgONRv9qkxdawL', refused: 'final' }),
  exchange('another nonce', { answerNonce: 'fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j', refused: 'final' }),
  exchange('another header in the end than in the beginning', { header: 'y,,', binding: 'n,,', refused: 'final' }),
  exchange('a channel binding, which there is none', { header: 'p=tls-unique,,', refused: 'first' }),
  exchange('in the name of another', { header: 'n,a=root,', refused: 'first' }),
  exchange('an extension that must be known', { bare: 'm=more,n=user,r=fyko+d2lbbFgONRv9qkxdawL', refused: 'first' }),
  exchange('no nonce', { bare: 'n=user', refused: 'first' }),
  exchange('an empty nonce', { bare: 'n=user,r=', refused: 'first' }),
  exchange('no name', { bare: 'n=,r=fyko+d2lbbFgONRv9qkxdawL', refused: 'first' }),
  exchange('a name with an equals sign that stands for nothing', { user: 'a=41', refused: 'first' }),
  { ...exchange('nothing', { refused: 'first' }), clientFirst: '' },
];

// Client Identifiers.

const clientIds = [
  ['no list allows all', undefined, 'ada', 'anything', true],
  ['an empty list allows none', [], 'ada', 'ada', false],
  ['the user name', ['%u'], 'ada', 'ada', true],
  ['another than the user name', ['%u'], 'ada', 'eve', false],
  ['more than the user name', ['%u'], 'ada', 'ada-1', false],
  ['the user name in other letters', ['%u'], 'ada', 'Ada', false],
  ['a beginning', ['%u', '%u-*'], 'ada', 'ada-kitchen', true],
  ['the beginning alone', ['%u-*'], 'ada', 'ada-', true],
  ['less than the beginning', ['%u-*'], 'ada', 'ada', false],
  ['the beginning of another', ['%u-*'], 'ada', 'adam-1', false],
  ['all', ['*'], 'ada', 'eve', true],
  ['a name as it stands', ['pump'], 'ada', 'pump', true],
  ['a star that is not at the end is a star', ['p*mp'], 'ada', 'pump', false],
  ['a star in the user name is a star', ['%u'], 'a*', 'ada', false],
  ['a star in the user name is a star, before a star', ['%u*'], 'a*', 'ada', false],
  ['a user name with %u in it stays as it is', ['%u'], '%u', '%u', true],
  ['an empty Client Identifier', ['%u'], 'ada', '', false],
].map(([name, patterns, userName, clientId, allowed]) => ({ name, patterns, userName, clientId, allowed }));

const vectors = { now: NOW, jwks: { keys: [rsa.jwk, ec.jwk, ed.jwk] }, tokens, verifiers, scram, clientIds };
writeFileSync(new URL('access.json', import.meta.url), `${JSON.stringify(vectors, undefined, 1)}\n`);
