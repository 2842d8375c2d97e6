// `mqlite-worker`: what another Worker imports to have rooms of its own. Knows no route.

import { app } from './app.js';
import type { Environment } from './environment.js';

export type { AuthenticationContext } from './access/upgrade.js';
export { MqttBroker } from './broker-object.js';
export type { PublishOutcome, RoomCalls, RoomMessage, RoomStatistics, UserOutcome } from './calls.js';
export type { Environment } from './environment.js';
export type { DeadLetterDetails } from './forward/dead-letter.js';
export type { ForwardedBatch, ForwardedMessage } from './message-json.js';
export type { ForwardStatistics } from './forward/forwarder.js';
export type { DeadLetter, Forward } from './forward/settings.js';
export type { QueuedMessage } from './forward/targets.js';
export type { Identity } from './guests.js';
export type { LogLevel, LogSettings } from './log.js';
export type { ReviewAnswer, ReviewRequest, ReviewSettings } from './review.js';
export type { TracedPacket } from './traces.js';
export { session, type SessionOptions } from './session.js';
export type { Moved } from './whereabouts.js';
export type { AuthenticationSettings, RoomSettings, Settings } from './settings.js';

/** What is served where. */
export interface MqttOptions {
  /**
   * A path such as `/broker`, below which all is the broker's: MQTT at `/broker/mqtt` and `/broker/mqtt/ROOM`, and the HTTP API
   * beside it. Default: none, and only `/mqtt` and `/mqtt/ROOM` are the broker's.
   */
  readonly base?: string;
}

/**
 * Answers a request that is for a broker: the first line of a Worker's `fetch`. It needs the Durable Object binding `BROKER` with
 * the class `MqttBroker`, and the variable `SETTINGS`, without which nobody is let in.
 *
 * @param request - What came. One that opens a WebSocket is answered with it.
 * @param environment - The bindings of the Worker.
 * @param context - The third argument of `fetch`, for work that goes on after the answer.
 * @returns The answer, or `undefined` when the request is for something else.
 * @throws RangeError when `base` is no path.
 */
export async function mqtt(
  request: Request,
  environment: Environment,
  context?: ExecutionContext,
  { base = '' }: MqttOptions = {},
): Promise<Response | undefined> {
  if (base !== '' && !BASE.test(base)) throw new RangeError(`The base is "${base}", but a base is a path such as /broker.`);
  const url = new URL(request.url);
  if (!url.pathname.startsWith(`${base}/`)) return undefined;
  const path = url.pathname.slice(base.length);
  if (base === '' && !/^\/mqtt(\/|$)/.test(path)) return undefined;
  url.pathname = path;
  return app.fetch(base === '' ? request : new Request(url, request), environment, context);
}

/** A path that begins with a slash and does not end with one. */
const BASE = /^(\/[\w.~-]+)+$/;
