// The server's side of SCRAM-SHA-256, as a test needs it: the `authenticate` of a broker that knows these users.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** `passwords` by user name. What is said in the clear lets nobody in. */
export function scramServer(passwords) {
  const exchanges = new Map();
  return ({ step, clientId, method, data }) => {
    if (method !== 'SCRAM-SHA-256') return { type: 'deny', reason: 0x8c };
    const said = new TextDecoder().decode(data);
    if (step === 'connect') {
      const [, bare, user, nonce] = /^n,,(n=([^,]+),r=(.+))$/.exec(said);
      const salt = randomBytes(16);
      const challenge = `r=${nonce}${randomBytes(9).toString('base64')},s=${salt.toString('base64')},i=4096`;
      exchanges.set(clientId, { bare, challenge, salted: pbkdf2Sync(passwords[user] ?? '', salt, 4_096, 32, 'sha256') });
      return { type: 'continue', data: new TextEncoder().encode(challenge) };
    }
    const { bare, challenge, salted } = exchanges.get(clientId);
    const [, signed, proof] = /^(c=biws,r=[^,]+),p=(.+)$/.exec(said);
    const message = [bare, challenge, signed].join(',');
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    const isProved = Buffer.from(proof, 'base64').every((byte, index) => (byte ^ signature[index]) === clientKey[index]);
    if (!isProved) return { type: 'deny', reason: 0x86 };
    return { type: 'allow', data: new TextEncoder().encode(`v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`) };
  };
}

function hmac(key, text) {
  return createHmac('sha256', key).update(text).digest();
}
