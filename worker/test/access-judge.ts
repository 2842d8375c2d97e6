// A Worker that judges tests/vectors/access.json by the modules that the broker's own Worker is made of, at the time that the
// vectors name, and bearers. A token is brought by a POST of its vector to /token, and so on.

import { bearer } from '../src/access/bearer.js';
import { mayBe } from '../src/access/client-ids.js';
import { Tokens } from '../src/access/jwt.js';
import { createVerifier, decode, encode, isPassword, parseVerifier } from '../src/access/password.js';
import { challenge, finish, readFirst } from '../src/access/scram.js';

const judges: Record<string, (vector: any) => unknown> = {
  token({ now, secret, publicKey, jwt, room, token }) {
    const bindings = { ...(secret && { JWT_SECRET: secret }), ...(publicKey && { JWT_PUBLIC_KEY: publicKey }) };
    return new Tokens(jwt, bindings, room, () => now * 1000).verify(token);
  },
  async verifier({ password, verifier }) {
    const parsed = parseVerifier(verifier);
    return parsed !== undefined && (await isPassword(encode(password), parsed));
  },
  create: ({ password, iterations }) => createVerifier(password, iterations),
  async scram({ verifier, serverNonce, clientFirst, clientFinal }) {
    const first = readFirst(encode(clientFirst));
    if (!first) return { refused: 'first' };
    const exchange = challenge(first, parseVerifier(verifier)!, serverNonce);
    const final = await finish(exchange, encode(clientFinal));
    return { userName: first.userName, serverFirst: exchange.challenge, ...(final ? { serverFinal: final } : { refused: 'final' }) };
  },
  async bearer({ path, headers, environment, settings, room, options }) {
    const found = await bearer(new Request(`https://broker.example${path}`, { headers }), environment, settings, room, options);
    return 'scopes' in found ? { ...found, scopes: [...found.scopes] } : found;
  },
  clientId: ({ clientId, userName, patterns }) => mayBe(clientId, userName, patterns),
  text: ({ hex }) => decode(Uint8Array.from(hex.match(/../g), (digits: string) => Number.parseInt(digits, 16))),
};

export { MqttBroker } from './index.js';

export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json((await judges[new URL(request.url).pathname.slice(1)]!(await request.json())) ?? null);
  },
};
