// What the application is subscribed to. The client subscribes again by itself as long as it lasts; a new one is told here.

import { MqttError } from '../error.js';
import type { Connection } from './connection.js';
import { unguarded } from './emitter.js';
import { toSubscribeOptions } from './topics.js';
import type { ISubscriptionRequest } from './types.js';

/** Hears the Reason Codes of all filters, with an error if one of them is a failure; or the error alone. */
type Answered = (error: Error | undefined, reasons?: number[]) => void;

export class Subscriptions {
  readonly #connection: () => Connection | undefined;
  readonly #requests = new Map<string, ISubscriptionRequest>();
  /** Those who wait for an answer, to be told when the connection ends: MQTT.js lets nobody wait for the next. */
  readonly #waiting = new Set<() => void>();
  /** What was asked for while there was no client to ask. */
  #postponed: { requests: readonly ISubscriptionRequest[]; run: (connection: Connection) => void }[] = [];

  constructor(connection: () => Connection | undefined) {
    this.#connection = connection;
  }

  /** Whether there is nothing to ask for. */
  has({ topic, qos }: ISubscriptionRequest): boolean {
    const request = this.#requests.get(topic);
    return request !== undefined && request.qos >= qos;
  }

  /** Subscribes. Throws what is wrong with a request. */
  add(requests: readonly ISubscriptionRequest[], answered: Answered): void {
    for (const request of requests) toSubscribeOptions(request);
    for (const request of requests) this.#requests.set(request.topic, request);
    const tell = this.#await(answered);
    this.#run(requests, (connection) => this.#askFor(connection, requests, tell));
  }

  remove(filters: readonly string[], answered: (error?: Error) => void): void {
    for (const filter of filters) this.#requests.delete(filter);
    const tell = this.#await(answered);
    this.#run([], ({ client }) => {
      client.then((known) => known.unsubscribe(filters)).then(() => tell(undefined), tell);
    });
  }

  /** There is another client. */
  renew(): void {
    const connection = this.#connection();
    if (!connection) return;
    const postponed = this.#postponed.splice(0);
    const told = new Set(postponed.flatMap(({ requests }) => requests));
    this.#askFor(connection, [...this.#requests.values()].filter((request) => !told.has(request)), () => {});
    for (const { run } of postponed) run(connection);
  }

  /** Nothing is to be subscribed to again. */
  forget(): void {
    this.#requests.clear();
    this.#postponed = [];
  }

  /** The connection is over. What was asked for is asked again, but nobody is told. */
  interrupt(): void {
    for (const interrupt of this.#waiting) interrupt();
    this.#waiting.clear();
  }

  /** Now, or when there is a client. */
  #run(requests: readonly ISubscriptionRequest[], run: (connection: Connection) => void): void {
    const connection = this.#connection();
    if (connection) run(connection);
    else this.#postponed.push({ requests, run });
  }

  #askFor(connection: Connection, requests: readonly ISubscriptionRequest[], tell: Answered): void {
    void Promise.allSettled(requests.map((request) => this.#ask(connection, request))).then((outcomes) => {
      const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
      const isRefused = (error: Error) => error instanceof MqttError && error.code === 'refused';
      if (!errors.every(isRefused)) return tell(errors.find((error) => !isRefused(error)));
      tell(errors[0], outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : reasonOf(outcome.reason))));
    });
  }

  async #ask(connection: Connection, request: ISubscriptionRequest): Promise<number> {
    const { topic } = request;
    try {
      const client = await connection.client;
      // The application's listeners hear of the messages; this only says that somebody takes them.
      const subscription = await client.subscribe(topic, toSubscribeOptions(request), () => {});
      return subscription.qos;
    } catch (error) {
      const isOver = error instanceof MqttError && error.code === 'closed';
      if (!isOver && this.#requests.get(topic) === request) this.#requests.delete(topic);
      throw error;
    }
  }

  /** Calls `answered` once: with an answer, or when the connection ends. */
  #await<A extends unknown[]>(answered: (error: Error | undefined, ...values: A) => void) {
    const interrupt = () => unguarded(() => answered(interrupted(), ...([] as unknown as A)));
    this.#waiting.add(interrupt);
    return (error: Error | undefined, ...values: A) => {
      if (this.#waiting.delete(interrupt)) unguarded(() => answered(error, ...values));
    };
  }
}

function reasonOf(error: unknown): number {
  return (error instanceof MqttError ? error.reason : undefined) ?? UNSPECIFIED_ERROR;
}

function interrupted(): MqttError {
  return new MqttError('interrupted', 'The connection ended before the server answered.', {
    hint: 'It is asked again when there is a connection.',
  });
}

const UNSPECIFIED_ERROR = 0x80;
