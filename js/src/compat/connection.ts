// One client of this package, as long as it lasts: it comes back when it is let, over sockets that are opened here.

import type { Client } from '../client.js';
import type { MqttError } from '../error.js';
import type { StatusChange } from '../events.js';
import type { PacketEvent } from '../tap.js';
import type { Message } from '../message.js';
import type { ConnectOptions, Credentials } from '../options.js';
import type { Server } from '../server.js';
import type { ClientStatus } from '../status.js';
import type { WebSocketLike } from '../transport.js';

/** `connect` of the entry that this one stands beside. */
export type Connect = (server: Server, options: ConnectOptions) => Promise<Client>;

export interface ConnectionHooks {
  /** Where this attempt goes. Asked first: the application may change its options there. */
  readonly address: () => string;
  readonly credentials: () => Credentials;
  readonly openSocket: (address: string) => WebSocketLike;
  readonly connected: (client: Client) => void;
  /** There is no connection, or none any more; `isOver`: this client makes no other. */
  readonly lost: (error: MqttError | undefined, isOver: boolean) => void;
  readonly message: (message: Message) => void | Promise<void>;
  /** Told after `tap()`. */
  readonly packet: (packet: PacketEvent) => void;
}

export class Connection {
  /** Resolves before there is a connection. */
  readonly client: Promise<Client>;
  readonly #hooks: ConnectionHooks;
  #leave: (() => void) | undefined;
  #isFirst = true;
  #address: Promise<string> | undefined;
  #socket: WebSocketLike | undefined;
  #isOver = false;
  #isTapped = false;

  constructor(connect: Connect, options: ConnectOptions, hooks: ConnectionHooks) {
    this.#hooks = hooks;
    const server = async () => {
      const address = await this.#next();
      this.#address = undefined;
      this.#socket = hooks.openSocket(address);
      return this.#socket;
    };
    const credentials = async () => {
      await this.#next();
      return hooks.credentials();
    };
    this.client = connect(server, { ...options, credentials }).then((client) => {
      client.on('status', (status, change) => this.#heard(client, status, change));
      client.on('message', hooks.message);
      return client;
    });
    this.client.catch((error: MqttError) => this.#lost(error, true));
  }

  /** Whether there will be no other connection. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a socket is open. */
  get isOpen(): boolean {
    return this.#socket?.readyState === OPEN;
  }

  /** Whether the socket was closed from here: the server did nothing of the kind. */
  get hasHungUp(): boolean {
    return this.#socket?.readyState === CLOSING;
  }

  /** Lets the next attempt be made, which waits for this. */
  allow(): void {
    this.#leave?.();
  }

  /** Tells of each packet from now on. */
  tap(): void {
    if (this.#isTapped) return;
    this.#isTapped = true;
    this.client.then((client) => client.on('packet', this.#hooks.packet)).catch(() => {});
  }

  /** Closes the socket without a word to the server. */
  cut(): void {
    this.#socket?.close();
  }

  /** The address of the next attempt, which waits until it is allowed. */
  #next(): Promise<string> {
    this.#address ??= (async () => {
      if (!this.#isFirst) await new Promise<void>((resolve) => (this.#leave = resolve));
      this.#isFirst = false;
      this.#leave = undefined;
      return this.#hooks.address();
    })();
    return this.#address;
  }

  #heard(client: Client, status: ClientStatus, { error }: StatusChange): void {
    if (status === 'connected') this.#hooks.connected(client);
    if (status === 'waiting' || status === 'ended') this.#lost(error, status === 'ended');
  }

  #lost(error: MqttError | undefined, isOver: boolean): void {
    if (this.#isOver) return;
    this.#isOver = isOver;
    this.#hooks.lost(error, isOver);
  }
}

// States of a WebSocket.
const OPEN = 1;
const CLOSING = 2;
