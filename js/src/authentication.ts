// Enhanced authentication (4.12): what a client says of itself in more than one step.

import { type Deferred, deferred } from './deferred.js';
import { MqttError } from './error.js';

/**
 * A method of authentication, for one client. The steps come in order, for each connection anew, and again when the client
 * authenticates anew while it is connected. A step that throws ends the connection, and if what it throws is an MqttError the client.
 */
export interface Authentication {
  /** The Authentication Method, as the server knows it. */
  readonly method: string;
  /** The Authentication Data to begin with, if there is any. */
  begin(): Uint8Array | undefined | PromiseLike<Uint8Array | undefined>;
  /** The answer to a challenge of the server. */
  respond(challenge: Uint8Array): Uint8Array | PromiseLike<Uint8Array>;
  /** Looks at what the server says at the end: it throws, or rejects, if that is not the server which it should be. */
  finish?(data: Uint8Array | undefined): void | PromiseLike<void>;
}

/** Takes the steps of a method at the right time. */
export class Authenticator {
  readonly #authentication: Authentication;
  readonly #hooks: AuthenticatorHooks;
  /** An authentication that was begun on an open connection. */
  #anew: Deferred<void> | undefined;

  constructor(authentication: Authentication, hooks: AuthenticatorHooks) {
    this.#authentication = authentication;
    this.#hooks = hooks;
  }

  /** What to say in CONNECT. */
  async begin(): Promise<Uint8Array | undefined> {
    return checkedData('begin', await this.#authentication.begin());
  }

  /** The server sent AUTH: a challenge, or that it has accepted. */
  async challenged(reason: number, data: Uint8Array | undefined): Promise<void> {
    const isStale = this.#hooks.follow();
    try {
      if (reason === SUCCESS) {
        await this.finish(data);
        if (!isStale()) this.#settle(({ resolve }) => resolve());
        return;
      }
      const answer = checkedData('respond', await this.#authentication.respond(data ?? new Uint8Array()));
      if (!isStale()) await this.#hooks.answer(answer);
    } catch (error) {
      if (!isStale()) this.#hooks.failed(error);
    }
  }

  async finish(data: Uint8Array | undefined): Promise<void> {
    await this.#authentication.finish?.(data);
  }

  /** Begins again, on the connection that there is. */
  again(): Promise<void> {
    if (this.#anew) return this.#anew.promise;
    const isStale = this.#hooks.follow();
    const anew = deferred<void>();
    this.#anew = anew;
    const begin = async () => {
      const data = await this.begin();
      if (!isStale()) await this.#hooks.answer(data);
    };
    begin().catch((error: unknown) => !isStale() && this.#hooks.failed(error));
    return anew.promise;
  }

  /** The connection is over. */
  lost(error: MqttError): void {
    this.#settle(({ reject }) => reject(error));
  }

  #settle(how: (anew: Deferred<void>) => void): void {
    const anew = this.#anew;
    this.#anew = undefined;
    if (anew) how(anew);
  }
}

/** What an authenticator needs of its client. */
export interface AuthenticatorHooks {
  /** Sends AUTH. */
  answer(data: Uint8Array | undefined): Promise<void>;
  /** A step failed. */
  failed(error: unknown): void;
  /** Tells later on whether the connection of now is over. */
  follow(): () => boolean;
}

function checkedData(step: string, data: Uint8Array | undefined): Uint8Array | undefined {
  if (data === undefined || data instanceof Uint8Array) return data;
  throw new MqttError('invalid-options', `authentication.${step} must return a Uint8Array.`);
}

/** A Reason Code. */
const SUCCESS = 0x00;
