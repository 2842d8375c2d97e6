// What becomes of the options of MQTT.js: each is covered, is of no effect, or is refused.

import { MqttError } from '../error.js';
import type { ConnectOptions } from '../options.js';
import { toMessageProperties, toPairs } from './properties.js';
import type { IClientOptions } from './types.js';

/** With what is the default. */
export type KnownOptions = IClientOptions &
  Required<{ [name in keyof typeof DEFAULTS]: NonNullable<IClientOptions[name & keyof IClientOptions]> }> & {
    clientId: string;
    protocolVersion: 4 | 5;
  };

/**
 * The options with what was left out.
 * @throws MqttError `invalid-options` for one that is not covered, and would change what happens.
 */
export function known(options: IClientOptions): KnownOptions {
  const said = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  for (const [name, value] of said) check(name, value);
  const all = { ...DEFAULTS, ...Object.fromEntries(said) } as KnownOptions;
  all.clientId ??= `mqttjs_${Math.random().toString(16).slice(2, 10).padEnd(8, '0')}`;
  if (!all.clean && !all.clientId) {
    throw new MqttError('invalid-options', 'A session that is kept needs a clientId: name one, or leave clean as it is.');
  }
  if (!all.clean && !all.resubscribe) {
    throw new MqttError('invalid-options', 'resubscribe: false is not covered beside clean: false.', {
      hint: 'Unsubscribe from what is not wanted any more.',
    });
  }
  if (all.will && typeof all.will.topic !== 'string') throw new MqttError('invalid-options', 'A will needs a topic.');
  return all;
}

/** What the client of this package is told. */
export function toConnectOptions(options: KnownOptions): ConnectOptions {
  const { clientId, protocolVersion, clean, keepalive, connectTimeout, will, properties = {} } = options;
  const { userProperties, maximumPacketSize = LARGEST_PACKET, ...others } = properties;
  return {
    clientId,
    protocolVersion,
    cleanStart: clean,
    keepAlive: keepalive,
    responseTimeoutMillis: connectTimeout,
    waitForConnection: false,
    // When to come back is decided in this folder: the client asks for a connection at once, and is kept waiting.
    reconnect: { minimumDelayMillis: 1, maximumDelayMillis: 1 },
    ...(will && { will: toWill(will) }),
    properties: {
      maximumPacketSize,
      ...(protocolVersion === 5 && {
        // Said, although it is what the standard has: a client that comes back has another default.
        sessionExpiryInterval: 0,
        ...others,
        ...(userProperties && { userProperties: toPairs(userProperties) }),
      }),
    },
  } as ConnectOptions;
}

function toWill({ properties, ...will }: NonNullable<IClientOptions['will']>): ConnectOptions['will'] {
  return { ...will, ...(properties && { properties: toMessageProperties(properties) }) } as ConnectOptions['will'];
}

function check(name: string, value: unknown): void {
  if (COVERED.has(name) || NO_EFFECT.has(name)) return checkValue(name, value);
  throw new MqttError('invalid-options', `The option "${name}" is not covered by mqlite/compat.`, {
    hint: 'Its documentation says which are. Where it makes no difference to you, leave it out.',
  });
}

/** Some are covered, or of no effect, with one value only. */
function checkValue(name: string, value: unknown): void {
  const isRefused =
    (name === 'rejectUnauthorized' && value !== true) ||
    (name === 'protocolId' && value !== 'MQTT') ||
    (name === 'protocolVersion' && value !== 4 && value !== 5) ||
    (name === 'wsOptions' && Object.keys(value as object).length > 0);
  if (!isRefused) return;
  throw new MqttError('invalid-options', `${name}: ${JSON.stringify(value)} is not covered by mqlite/compat.`);
}

/** Bytes: the standard has no larger one, and MQTT.js no other limit. */
const LARGEST_PACKET = 268_435_455;

const DEFAULTS = {
  protocolVersion: 4,
  protocolId: 'MQTT',
  clean: true,
  keepalive: 60,
  reconnectPeriod: 1000,
  connectTimeout: 30_000,
  resubscribe: true,
  reconnectOnConnackError: false,
  queueQoSZero: true,
  manualConnect: false,
} as const;

const COVERED: ReadonlySet<string> = new Set([
  ...Object.keys(DEFAULTS),
  ...['protocol', 'defaultProtocol', 'host', 'hostname', 'port', 'path', 'auth', 'query', 'servers'],
  ...['clientId', 'username', 'password', 'will', 'properties', 'transformWsUrl', 'createWebsocket'],
]);

/** How MQTT.js does its work, what a browser does anyway, and the parts of a parsed URL that `host` and `path` repeat. */
const NO_EFFECT: ReadonlySet<string> = new Set([
  ...['reschedulePings', 'writeCache', 'timerVariant', 'browserBufferSize', 'browserBufferTimeout', 'objectMode'],
  ...['forceNativeWebSocket', 'subscribeBatchSize', 'autoUseTopicAlias', 'autoAssignTopicAlias', 'log'],
  ...['rejectUnauthorized', 'wsOptions', 'href', 'search', 'pathname', 'slashes', 'hash'],
]);
