// Calls an HTTP API as its OpenAPI document describes it: every answer is held against the document.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Ajv from 'ajv/dist/2020.js';

const METHODS = ['get', 'put', 'post', 'delete'];

/** What both servers serve as `/openapi.json`. */
export const document = JSON.parse(await readFile(new URL('../../../worker/src/http/openapi.json', import.meta.url), 'utf8'));

/** Bearer of all scopes, and what tokens are signed with. */
export const ADMIN_TOKEN = 'an-admin-token-of-the-contract-0123456789';
export const JWT_SECRET = 'a-jwt-secret-of-the-contract-0123456789-abc';

/** A JWT of HS256 that is good for an hour, unless the claims say otherwise. */
export function tokenOf(claims, secret = JWT_SECRET) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claim = { sub: 'caller', exp: Math.floor(Date.now() / 1000) + 3600, ...claims };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claim)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Each operation of the document: its method, path and description. */
export const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, operation]) =>
    METHODS.includes(method) ? [{ method: method.toUpperCase(), path, operation }] : [],
  ),
);

export class Caller {
  /** The identifiers of the operations that were called with success. */
  static called = new Set();
  #host;

  constructor(host) {
    this.#host = host;
  }

  /**
   * Asks for `path`, as admin unless `token` is another or `null`. The answer has what `fetch` gives, and `json` or `text`; a stream
   * is left to be read.
   */
  async call(method, path, { token = ADMIN_TOKEN, query = {}, headers = {}, body, signal } = {}) {
    const address = new URL(path, this.#host.origin);
    for (const [name, values] of Object.entries(query)) {
      for (const value of [values].flat()) address.searchParams.append(name, value);
    }
    const authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(address, { method, headers: { ...authorization, ...headers }, body, signal });
    const { status } = response;
    const type = response.headers.get('Content-Type')?.split(';')[0];
    assert.equal(response.headers.get('Cache-Control'), 'no-store', `${method} ${path}`);
    assert.equal(response.headers.get('X-Content-Type-Options'), 'nosniff', `${method} ${path}`);
    if (type === 'text/event-stream' && status === 200) {
      this.#hold(method, address.pathname, status, type, undefined);
      return { status, headers: response.headers, body: response.body };
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const json = type === 'application/json' && text !== '' ? JSON.parse(text) : undefined;
    if (method !== 'HEAD') this.#hold(method, address.pathname, status, type, json);
    return { status, headers: response.headers, bytes, text, json };
  }

  /** Holds an answer against the document. */
  #hold(method, pathname, status, type, json) {
    const where = `${method} ${pathname} answered ${status}`;
    const found = operations.find((one) => one.method === method && pattern(one.path).test(pathname.replace(/^\/rooms\/[^/]+/, '')));
    if (!found) {
      // What the document has not is refused in its words.
      if (method === 'OPTIONS') return;
      assert.ok([404, 405].includes(status), where);
      assert.deepEqual(validate('Error', json), [], where);
      return;
    }
    let response = found.operation.responses[status];
    assert.ok(response, `${where}, which the document does not say`);
    if (response.$ref) response = document.components.responses[response.$ref.split('/').pop()];
    if (status < 300) Caller.called.add(found.operation.operationId);
    if (!response.content) return assert.equal(type, undefined, where);
    const media = response.content[type];
    assert.ok(media, `${where} with ${type}`);
    if (media.schema.$ref) assert.deepEqual(validate(media.schema.$ref.split('/').pop(), json), [], where);
  }
}

/** What is wrong with a value that is to be what the document calls by `name`. */
export function validate(name, value) {
  const check = ajv.getSchema(`document#/components/schemas/${name}`);
  return check(value) ? [] : check.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function pattern(path) {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
}

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'document', ...document });
