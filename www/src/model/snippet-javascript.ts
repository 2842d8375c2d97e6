// Snippets for the two packages of JavaScript: `mqlite` and MQTT.js.

import type { MessageProperties } from 'mqlite/broker';
import { base64, utf8 } from './formats.ts';
import type { ProfileSubscription } from './profile.ts';
import { type Code, hasPassword, PASSWORD, type Source } from './snippet-source.ts';

/** A program for `mqlite`; with the broker in it, where it is the one of this page. */
export function mqliteCode({ url, profile, options, action }: Source): Code {
  const isScram = profile.authentication === 'scram';
  const { keepAlive, cleanStart, protocolVersion, will, ...others } = options;
  const bytes = (value: Uint8Array) => new Expression(`Uint8Array.from(atob('${base64(value)}'), (byte) => byte.charCodeAt(0))`);
  const known = {
    ...(protocolVersion === 4 && { protocolVersion }),
    ...others,
    ...(cleanStart === false && { cleanStart }),
    keepAlive,
    ...(hasPassword(profile) && !isScram && { password: PASSWORD_VALUE }),
    ...(isScram && { authentication: new Expression(`scramSha256(${written({ userName: profile.userName, password: PASSWORD_VALUE })})`) }),
    ...(will && { will: { ...will, ...(will.properties && { properties: withBytes(will.properties, bytes) }) } }),
    ...(!profile.reconnect && { reconnect: false }),
  };
  const names = [...(url ? [] : ['Broker']), 'connect', ...(isScram ? ['scramSha256'] : [])];
  const lines = [
    `import { ${names.join(', ')} } from '${url ? 'mqlite' : 'mqlite/broker'}';`,
    '',
    ...(url ? [] : ['const broker = await Broker.open();']),
    `const client = await connect(${url ? written(profile.server) : 'broker'}, ${written(known)});`,
  ];
  if (action.kind === 'publish') {
    const { topic, payload, qos, retain, properties } = action.publication;
    const said = { ...(qos && { qos }), ...(retain && { retain }), ...(properties && { properties: withBytes(properties, bytes) }) };
    lines.push(`await client.publish(${args(topic, utf8(payload) ?? bytes(payload), said)});`, 'await client.end();');
    if (!url) lines.push('await broker.close();');
  } else {
    const { filter, colour: _, ...said } = action.subscription;
    lines.push(`await client.subscribe(${args(filter, said)}, (message) => {`, '  console.log(message.topic, message.text());', '});');
  }
  return { code: `${lines.join('\n')}\n`, lacks: [] };
}

/** A program for MQTT.js. */
export function mqttJsCode({ url, profile, options, action }: Source): Code {
  const isMqtt5 = profile.protocolVersion === 5;
  const bytes = (value: Uint8Array) => new Expression(`Buffer.from('${base64(value)}', 'base64')`);
  const { clientId, cleanStart, keepAlive, userName, properties, will } = options;
  const known = {
    ...(isMqtt5 && { protocolVersion: 5 }),
    ...(clientId && { clientId }),
    ...(cleanStart === false && { clean: false }),
    keepalive: keepAlive,
    ...(userName && { username: userName }),
    ...(hasPassword(profile) && profile.authentication === 'password' && { password: PASSWORD_VALUE }),
    ...(isMqtt5 && properties && { properties: withRecord(properties) }),
    ...(will && { will: { ...will, ...(will.properties && { properties: withRecord(withBytes(will.properties, bytes)) }) } }),
    ...(!profile.reconnect && { reconnectPeriod: 0 }),
  };
  const lines = [
    "import { connectAsync } from 'mqtt';",
    '',
    `const client = await connectAsync(${written(url ? profile.server : 'ws://localhost:8083/mqtt')}, ${written(known)});`,
  ];
  if (action.kind === 'publish') {
    const { topic, payload, qos, retain, properties: said } = action.publication;
    const how = { ...(qos && { qos }), ...(retain && { retain }), ...(said && { properties: withRecord(withBytes(said, bytes)) }) };
    lines.push(`await client.publishAsync(${args(topic, utf8(payload) ?? bytes(payload), how)});`, 'await client.endAsync();');
  } else {
    lines.push("client.on('message', (topic, payload) => {", '  console.log(topic, payload.toString());', '});');
    lines.push(`await client.subscribeAsync(${args(action.subscription.filter, mqttJsOptions(action.subscription))});`);
  }
  return { code: `${lines.join('\n')}\n`, lacks: [] };
}

function mqttJsOptions({ qos, noLocal, retainAsPublished, retainHandling, identifier }: ProfileSubscription): object {
  return {
    qos,
    ...(noLocal && { nl: true }),
    ...(retainAsPublished && { rap: true }),
    ...(retainHandling && { rh: RETAIN_HANDLING[retainHandling] }),
    ...(identifier !== undefined && { properties: { subscriptionIdentifier: identifier } }),
  };
}

/** Code that stands in a value as it is. */
class Expression {
  readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

function withBytes(properties: object, bytes: (value: Uint8Array) => Expression): object {
  const { correlationData, ...others } = properties as MessageProperties;
  if (correlationData === undefined) return others;
  return { ...others, correlationData: bytes(correlationData) };
}

/** MQTT.js has User Properties as an object, with a list where a name stands more than once. */
function withRecord(properties: object): object {
  const { userProperties, ...others } = properties as { userProperties?: readonly (readonly [string, string])[] };
  if (!userProperties) return others;
  const record = new Map<string, string | string[]>();
  for (const [name, value] of userProperties) {
    const known = record.get(name);
    record.set(name, known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value]);
  }
  return { ...others, userProperties: record };
}

/** Arguments, without the last if it says nothing. */
function args(...values: readonly unknown[]): string {
  const said = values.filter((value, index) => index < values.length - 1 || Object.keys(value as object).length > 0);
  const line = said.map((value) => written(value)).join(', ');
  if (line.length <= LONGEST || typeof said.at(-1) !== 'object') return line;
  return [...said.slice(0, -1).map((value) => written(value)), written(said.at(-1), 0, 0)].join(', ');
}

/** A value as JavaScript: on one line while that is not longer than `longest`. */
function written(value: unknown, depth = 0, longest = LONGEST): string {
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Expression) return value.code;
  if (Array.isArray(value)) return `[${value.map((item) => written(item, depth + 1)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = value instanceof Map ? [...value] : Object.entries(value).filter(([, item]) => item !== undefined);
  const members = entries.map(([name, item]) => `${member(name)}: ${written(item, depth + 1)}`);
  if (members.length === 0) return '{}';
  const line = `{ ${members.join(', ')} }`;
  const indent = '  '.repeat(depth + 1);
  return line.length <= longest ? line : `{\n${indent}${members.join(`,\n${indent}`)},\n${'  '.repeat(depth)}}`;
}

function member(name: string): string {
  if (name === '__proto__') return "['__proto__']"; // else it is no member
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

/** A text between single quotes: JSON knows all the escapes. */
function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.replace(/[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, escaped)}'`;
}

/** What cannot be seen, or turns the direction of writing, must not hide in code. */
function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const PASSWORD_VALUE = new Expression(`process.env.${PASSWORD}`);
const RETAIN_HANDLING = { send: 0, sendIfNew: 1, doNotSend: 2 } as const;
const LONGEST = 88;
