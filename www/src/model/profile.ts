// How one client connects, as people write it down: shape, defaults, and what is wrong with it. Knows no connection.

import type { ConnectOptions, ProtocolVersion, QoS, SubscribeOptions, UserProperty } from 'mqlite/broker';

/** A way to connect, by a name. */
export interface Profile {
  readonly id: string;
  readonly name: string;
  /** `tab` is the broker in this page; else the address of a WebSocket. */
  readonly server: string;
  readonly protocolVersion: ProtocolVersion;
  /** Empty: the server assigns one. */
  readonly clientId: string;
  readonly cleanStart: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  /** Whether it comes back by itself. */
  readonly reconnect: boolean;
  readonly userName: string;
  readonly password: string;
  /** Whether the password is stored with the profile; else it is gone with the page. */
  readonly keepsPassword: boolean;
  /** How the password is shown to the server: as it is, or proven with SCRAM-SHA-256. */
  readonly authentication: 'password' | 'scram';
  /** MQTT 5 only. */
  readonly properties: ProfileProperties;
  readonly will: ProfileWill | null;
  /** What is subscribed to at once. */
  readonly subscriptions: readonly ProfileSubscription[];
}

/** CONNECT Properties; `null` is the default. */
export interface ProfileProperties {
  readonly sessionExpiryInterval: number | null;
  readonly receiveMaximum: number | null;
  readonly maximumPacketSize: number | null;
  readonly topicAliasMaximum: number | null;
  readonly requestResponseInformation: boolean;
  readonly requestProblemInformation: boolean;
  readonly userProperties: UserProperty[];
}

/** A will. All but the first four are MQTT 5 only; `null` and empty texts are not sent. */
export interface ProfileWill {
  readonly topic: string;
  readonly payload: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly willDelayInterval: number | null;
  readonly messageExpiryInterval: number | null;
  readonly payloadFormatIndicator: boolean;
  readonly contentType: string;
  readonly responseTopic: string;
  readonly correlationData: string;
  readonly userProperties: UserProperty[];
}

/** A filter and how it is subscribed to. */
export interface ProfileSubscription extends Pick<SubscribeOptions, 'noLocal' | 'retainAsPublished' | 'retainHandling'> {
  readonly filter: string;
  readonly qos: QoS;
  readonly identifier?: number;
  /** From 0 to `COLOURS - 1`; without one it gets the next. */
  readonly colour?: number;
}

/** What is wrong with a field, as a name for the texts. */
export type Fault =
  | 'empty'
  | 'tooLong'
  | 'notWhole'
  | 'notAnAddress'
  | 'httpAddress'
  | 'tcpAddress'
  | 'credentialsInAddress'
  | 'mixedContent'
  | 'clientIdNeeded'
  | 'passwordNeedsUserName'
  | 'scramNeedsMqtt5'
  | 'scramNeedsCredentials'
  | 'wildcardInTopic'
  | 'badFilter'
  | 'badShareName'
  | 'noLocalShared'
  | 'controlCharacter';

/** What is wrong, by the path of the field, such as `will.topic`. */
export type Faults = Readonly<Record<string, Fault>>;

/** A profile with all that is not named at its default. */
export function newProfile(known: Partial<Profile> = {}): Profile {
  return {
    id: crypto.randomUUID(),
    name: '',
    server: 'tab',
    protocolVersion: 5,
    clientId: '',
    cleanStart: true,
    keepAlive: 120,
    reconnect: true,
    userName: '',
    password: '',
    keepsPassword: false,
    authentication: 'password',
    properties: NO_PROPERTIES,
    will: null,
    subscriptions: [],
    ...known,
  };
}

/** A will with all that is not named at its default. */
export function newWill(known: Partial<ProfileWill> = {}): ProfileWill {
  return {
    topic: '',
    payload: '',
    qos: 0,
    retain: false,
    willDelayInterval: null,
    messageExpiryInterval: null,
    payloadFormatIndicator: false,
    contentType: '',
    responseTopic: '',
    correlationData: '',
    userProperties: [],
    ...known,
  };
}

/** What is wrong with a profile. `page` is where the page came from, as `https:`. */
export function checkProfile(profile: Profile, page: string = globalThis.location?.protocol ?? ''): Faults {
  const { server, clientId, cleanStart, keepAlive, protocolVersion, userName, password, authentication, properties, will } = profile;
  const faults: Record<string, Fault> = {};
  const found = (path: string, fault: Fault | undefined) => fault && (faults[path] ??= fault);

  found('server', addressFault(server, page));
  found('clientId', textFault(clientId));
  if (clientId === '' && !cleanStart && protocolVersion === 4) found('clientId', 'clientIdNeeded');
  found('keepAlive', numberFault(keepAlive, 0, 65_535));
  found('userName', textFault(userName));
  found('password', textFault(password));
  if (authentication === 'scram') {
    if (protocolVersion === 4) found('authentication', 'scramNeedsMqtt5');
    else if (userName === '' || password === '') found('userName', 'scramNeedsCredentials');
  } else if (password !== '' && userName === '' && protocolVersion === 4) found('userName', 'passwordNeedsUserName');
  if (protocolVersion === 5) {
    found('properties.sessionExpiryInterval', numberFault(properties.sessionExpiryInterval, 0, 0xffff_ffff));
    found('properties.receiveMaximum', numberFault(properties.receiveMaximum, 1, 65_535));
    found('properties.maximumPacketSize', numberFault(properties.maximumPacketSize, 1, 0xffff_ffff));
    found('properties.topicAliasMaximum', numberFault(properties.topicAliasMaximum, 0, 65_535));
    found('properties.userProperties', pairsFault(properties.userProperties));
  }
  if (will) {
    found('will.topic', topicFault(will.topic));
    if (new TextEncoder().encode(will.payload).length > 65_535) found('will.payload', 'tooLong');
    if (protocolVersion === 5) {
      found('will.willDelayInterval', numberFault(will.willDelayInterval, 0, 0xffff_ffff));
      found('will.messageExpiryInterval', numberFault(will.messageExpiryInterval, 0, 0xffff_ffff));
      found('will.contentType', textFault(will.contentType));
      if (will.responseTopic !== '') found('will.responseTopic', topicFault(will.responseTopic));
      found('will.correlationData', textFault(will.correlationData));
      found('will.userProperties', pairsFault(will.userProperties));
    }
  }
  for (const [index, { filter }] of profile.subscriptions.entries()) found(`subscriptions.${index}`, filterFault(filter));
  return faults;
}

/** A profile as the package wants it. */
export function toConnectOptions(profile: Profile): ConnectOptions {
  const { protocolVersion, clientId, cleanStart, keepAlive, userName, password, properties, will, authentication } = profile;
  const isMqtt5 = protocolVersion === 5;
  return {
    protocolVersion,
    cleanStart,
    keepAlive,
    ...(clientId !== '' && { clientId }),
    ...(authentication === 'password' && { ...(userName !== '' && { userName }), ...(password !== '' && { password }) }),
    ...(isMqtt5 && { properties: { ...said(properties), requestProblemInformation: properties.requestProblemInformation } }),
    ...(will && { will: { topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain, ...(isMqtt5 && { properties: willProperties(will) }) } }),
  };
}

/** What is wrong with a Topic Name. */
export function topicFault(topic: string): Fault | undefined {
  if (topic === '') return 'empty';
  return /[+#]/.test(topic) ? 'wildcardInTopic' : textFault(topic);
}

/** What is wrong with a Topic Filter. */
function filterFault(filter: string): Fault | undefined {
  if (filter === '') return 'empty';
  const levels = filter.split('/');
  const isBad = levels.some((level, index) => (/[+#]/.test(level) && level.length > 1) || (level === '#' && index < levels.length - 1));
  return isBad ? 'badFilter' : textFault(filter);
}

function willProperties(will: ProfileWill) {
  const { topic: _, payload: __, qos: ___, retain: ____, correlationData, ...properties } = will;
  return { ...said(properties), ...(correlationData !== '' && { correlationData: new TextEncoder().encode(correlationData) }) };
}

/** Without what is left at its default. */
function said<T extends object>(properties: T): { [K in keyof T]?: Exclude<T[K], null> } {
  const isSaid = (value: unknown) => value !== null && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => isSaid(value))) as { [K in keyof T]?: Exclude<T[K], null> };
}

function addressFault(server: string, page: string): Fault | undefined {
  if (server === 'tab') return undefined;
  if (server.trim() === '') return 'empty';
  let url: URL;
  try {
    url = new URL(server);
  } catch {
    return 'notAnAddress';
  }
  if (/^(mqtts?|tcp|ssl|tls):$/.test(url.protocol)) return 'tcpAddress';
  if (/^https?:$/.test(url.protocol)) return 'httpAddress';
  if (!/^wss?:$/.test(url.protocol)) return 'notAnAddress';
  if (url.username !== '' || url.password !== '') return 'credentialsInAddress';
  return url.protocol === 'ws:' && page === 'https:' && !isLocal(url) ? 'mixedContent' : undefined;
}

/** Browsers trust this machine without TLS. */
function isLocal({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname);
}

function numberFault(value: number | null, least: number, most: number): Fault | undefined {
  return value === null || (Number.isInteger(value) && value >= least && value <= most) ? undefined : 'notWhole';
}

/** What is wrong with a text of MQTT. */
export function textFault(text: string): Fault | undefined {
  if (text.includes('\0')) return 'controlCharacter';
  return new TextEncoder().encode(text).length > 65_535 ? 'tooLong' : undefined;
}

/** What is wrong with User Properties. */
export function pairsFault(pairs: readonly UserProperty[]): Fault | undefined {
  return pairs.map(([name, value]) => textFault(name) ?? textFault(value)).find((fault) => fault);
}

/** How many colours subscriptions and connections have. */
export const COLOURS = 8;

const NO_PROPERTIES: ProfileProperties = {
  sessionExpiryInterval: null,
  receiveMaximum: null,
  maximumPacketSize: null,
  topicAliasMaximum: null,
  requestResponseInformation: false,
  requestProblemInformation: true,
  userProperties: [],
};
