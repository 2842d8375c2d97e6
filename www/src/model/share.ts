// Profiles outside the page: as files, and as links that hold no secrets. What comes back is untrusted, and is read with care.

import type { QoS, UserProperty } from 'mqlite/broker';
import { COLOURS, newProfile, newWill, type Profile, type ProfileProperties, type ProfileSubscription, type ProfileWill } from './profile.ts';

/** A link that opens the connect form with this profile. It has no password, and nothing that is called like one. */
export function toLink(profile: Profile, page: string): string {
  const url = new URL(page);
  const { id: _, password: __, keepsPassword: ___, ...known } = withoutSecrets(profile);
  url.hash = `${LINK}${toBase64Url(JSON.stringify(known))}`;
  return url.href;
}

/** The profile of a link, or `null` if it has none; `undefined` if that cannot be read. */
export function fromLink(page: string): Profile | null | undefined {
  const { hash } = new URL(page);
  if (!hash.startsWith(`#${LINK}`)) return null;
  try {
    return readProfile(JSON.parse(fromBase64Url(hash.slice(LINK.length + 1))));
  } catch {
    return undefined;
  }
}

/** Profiles as a file. What is secret is in it only where `withSecrets` says so, and a password where it is kept with its profile too. */
export function toFile(profiles: readonly Profile[], withSecrets: boolean): string {
  const kept = profiles.map((profile) => {
    const { id: _, ...known } = withSecrets ? withKeptPassword(profile) : withoutSecrets(profile);
    return known;
  });
  return `${JSON.stringify({ mqlite: 'profiles', version: 1, profiles: kept }, null, 2)}\n`;
}

/** Whether a file of these profiles could have something secret. */
export function haveSecrets(profiles: readonly Profile[]): boolean {
  return toFile(profiles, true) !== toFile(profiles, false);
}

/** The profiles of a file, `undefined` if it is no such file. */
export function fromFile(text: string): Profile[] | undefined {
  try {
    const file = record(JSON.parse(text));
    if (file['mqlite'] !== 'profiles' || !Array.isArray(file['profiles']) || file['profiles'].length > MOST_PROFILES) return undefined;
    const profiles = file['profiles'].map(readProfile);
    return profiles.every((profile) => profile !== undefined) ? profiles : undefined;
  } catch {
    return undefined;
  }
}

/** A profile from JSON of unknown origin, `undefined` if it is none: what is missing, or of the wrong type, is at its default. */
export function readProfile(value: unknown): Profile | undefined {
  const known = record(value);
  if (typeof known['server'] !== 'string') return undefined;
  const defaults = newProfile();
  const will = known['will'];
  return {
    ...defaults,
    ...pick(known, {
      id: 'string',
      name: 'string',
      server: 'string',
      clientId: 'string',
      cleanStart: 'boolean',
      keepAlive: 'number',
      reconnect: 'boolean',
      userName: 'string',
      password: 'string',
      keepsPassword: 'boolean',
    }),
    protocolVersion: known['protocolVersion'] === 4 ? 4 : 5,
    authentication: known['authentication'] === 'scram' ? 'scram' : 'password',
    properties: readProperties(known['properties'], defaults.properties),
    will: will === null || will === undefined ? null : readWill(record(will)),
    subscriptions: list(known['subscriptions']).map(record).filter(hasFilter).map(readSubscription),
  };
}

function withKeptPassword(profile: Profile): Profile {
  return profile.keepsPassword ? profile : { ...profile, password: '' };
}

function withoutSecrets(profile: Profile): Profile {
  const { server, properties, will } = profile;
  return {
    ...profile,
    server: harmlessAddress(server),
    password: '',
    properties: { ...properties, userProperties: properties.userProperties.filter(isHarmless) },
    will: will && { ...will, userProperties: will.userProperties.filter(isHarmless) },
  };
}

function harmlessAddress(server: string): string {
  if (!URL.canParse(server)) return server === 'tab' ? server : '';
  const url = new URL(server);
  const secrets = [...url.searchParams.keys()].filter(isSecret);
  if (secrets.length === 0 && url.username === '' && url.password === '') return server;
  for (const name of secrets) url.searchParams.delete(name);
  url.username = '';
  url.password = '';
  return url.href;
}

/** Whether something is called like a secret: a part of an address, or a User Property. */
export function isSecret(name: string): boolean {
  return SECRET.test(name);
}

function isHarmless([name]: UserProperty): boolean {
  return !isSecret(name);
}

function readProperties(value: unknown, defaults: ProfileProperties): ProfileProperties {
  const known = record(value);
  return {
    ...defaults,
    ...pick(known, {
      sessionExpiryInterval: 'number',
      receiveMaximum: 'number',
      maximumPacketSize: 'number',
      topicAliasMaximum: 'number',
      requestResponseInformation: 'boolean',
      requestProblemInformation: 'boolean',
    }),
    userProperties: readPairs(known['userProperties']),
  };
}

function readWill(known: Record<string, unknown>): ProfileWill {
  return {
    ...newWill(),
    ...pick(known, {
      topic: 'string',
      payload: 'string',
      retain: 'boolean',
      willDelayInterval: 'number',
      messageExpiryInterval: 'number',
      payloadFormatIndicator: 'boolean',
      contentType: 'string',
      responseTopic: 'string',
      correlationData: 'string',
    }),
    qos: readQos(known['qos']),
    userProperties: readPairs(known['userProperties']),
  };
}

function readSubscription(known: Record<string, unknown> & { filter: string }): ProfileSubscription {
  const { retainHandling } = known;
  return {
    filter: known.filter,
    qos: readQos(known['qos']),
    ...pick(known, { noLocal: 'boolean', retainAsPublished: 'boolean', identifier: 'number' }),
    ...(isColour(known['colour']) && { colour: known['colour'] }),
    ...((retainHandling === 'sendIfNew' || retainHandling === 'doNotSend') && { retainHandling }),
  };
}

function isColour(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < COLOURS;
}

function hasFilter(known: Record<string, unknown>): known is Record<string, unknown> & { filter: string } {
  return typeof known['filter'] === 'string';
}

function readQos(value: unknown): QoS {
  return value === 1 || value === 2 ? value : 0;
}

function readPairs(value: unknown): UserProperty[] {
  return list(value)
    .filter((pair): pair is UserProperty => Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string'))
    .map(([name, text]) => [name, text]);
}

/** Those of the given names whose values are of the given types. */
function pick(known: Record<string, unknown>, types: Record<string, 'string' | 'number' | 'boolean'>): Record<string, never> {
  return Object.fromEntries(Object.entries(known).filter(([name, value]) => Object.hasOwn(types, name) && typeof value === types[name])) as Record<string, never>;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, MOST_ITEMS) : [];
}

function toBase64Url(text: string): string {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function fromBase64Url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

const LINK = 'connect=';

/** What secrets are called, in addresses and in User Properties. */
const SECRET = /pass|secret|token|jwt|key|auth|credential|signature|\bsig\b/i;

const MOST_PROFILES = 1_000;
const MOST_ITEMS = 1_000;
