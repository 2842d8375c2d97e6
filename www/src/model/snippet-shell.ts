// Snippets for the command line: mosquitto_pub, mosquitto_sub and MQTTX CLI, for any POSIX shell.

import type { MessageProperties, UserProperty } from 'mqlite/broker';
import { base64, utf8 } from './formats.ts';
import type { ProfileSubscription } from './profile.ts';
import { type Code, hasPassword, PASSWORD, type Source } from './snippet-source.ts';

/** mosquitto_pub or mosquitto_sub. They speak MQTT over TCP. */
export function mosquittoCode({ url, profile, options, action }: Source): Code {
  const isMqtt5 = profile.protocolVersion === 5;
  const { clientId, cleanStart, keepAlive = 0, userName, properties = {}, will } = options;
  const words = new Words(action.kind === 'publish' ? 'mosquitto_pub' : 'mosquitto_sub');
  words.add('-h', host(url)).add('-p', url?.protocol === 'wss:' ? '8883' : '1883').add('-V', isMqtt5 ? 'mqttv5' : 'mqttv311');
  if (url?.protocol === 'wss:') words.add('--tls-use-os-certs');
  if (clientId) words.add('-i', clientId);
  if (clientId && cleanStart === false) words.add('-c');
  if (keepAlive >= 5) words.add('-k', keepAlive);
  if (userName) words.add('-u', userName);
  if (hasPassword(profile) && profile.authentication === 'password') words.raw(`-P "$${PASSWORD}"`);
  if (isMqtt5) {
    const { sessionExpiryInterval, requestResponseInformation, requestProblemInformation, userProperties, ...numbers } = properties;
    if (sessionExpiryInterval !== undefined) words.add('-x', sessionExpiryInterval);
    for (const [name, value] of Object.entries(numbers)) words.add('-D', 'connect', dashed(name), value as number);
    if (requestResponseInformation) words.add('-D', 'connect', 'request-response-information', 1);
    if (requestProblemInformation === false) words.add('-D', 'connect', 'request-problem-information', 0);
    pairs(words, 'connect', userProperties);
  }
  if (will) {
    words.add('--will-topic', will.topic);
    if (will.payload !== '') words.add('--will-payload', will.payload as string);
    if (will.qos) words.add('--will-qos', will.qos);
    if (will.retain) words.add('--will-retain');
    if (will.properties) mosquittoProperties(words, 'will', will.properties);
  }
  if (action.kind === 'subscribe') return mosquittoSub(words, action.subscription);

  const { topic, payload, qos, retain, properties: said = {} } = action.publication;
  words.add('-t', topic);
  if (qos) words.add('-q', qos);
  if (retain) words.add('-r');
  const lacks = mosquittoProperties(words, 'publish', said);
  return { code: withPayload(words, payload, () => (payload.byteLength === 0 ? words.add('-n') : words.add('-m', utf8(payload) ?? ''))), lacks };
}

/** `mqttx pub` or `mqttx sub`. */
export function mqttxCode({ url, profile, options, action }: Source): Code {
  const isMqtt5 = profile.protocolVersion === 5;
  const isPublish = action.kind === 'publish';
  const { clientId, cleanStart, keepAlive, userName, properties = {}, will } = options;
  const words = new Words(`mqttx ${isPublish ? 'pub' : 'sub'}`);
  const lacks: string[] = [];
  words.add('-h', host(url)).add('-p', port(url)).add('-l', url?.protocol.slice(0, -1) ?? 'ws');
  words.add('--path', url ? `${url.pathname}${url.search}` : '/mqtt');
  if (!isMqtt5) words.add('-V', '3.1.1');
  if (clientId) words.add('-i', clientId);
  if (cleanStart === false) words.add('--no-clean');
  if (isPublish && keepAlive !== undefined) words.add('-k', keepAlive);
  if (userName) words.add('-u', userName);
  if (hasPassword(profile) && profile.authentication === 'password') words.raw(`-P "$${PASSWORD}"`);
  if (isMqtt5) {
    const { sessionExpiryInterval, requestResponseInformation, requestProblemInformation, userProperties, ...numbers } = properties;
    if (sessionExpiryInterval !== undefined) words.add('-se', sessionExpiryInterval);
    for (const [name, value] of Object.entries(numbers)) words.add(`--${dashed(name)}`, value as number);
    if (requestResponseInformation) words.add('--req-response-info');
    if (requestProblemInformation === false) words.add('--no-req-problem-info');
    lacks.push(...mqttxPairs(words, '-Cup', userProperties));
  }
  if (will) {
    words.add('-Wt', will.topic).add('-Wm', will.payload as string);
    if (will.qos) words.add('-Wq', will.qos);
    if (will.retain) words.add('-Wr');
    if (will.properties) lacks.push(...mqttxProperties(words, MQTTX_WILL, will.properties));
  }
  if (action.kind === 'subscribe') {
    const { filter, qos, noLocal, retainAsPublished, retainHandling, identifier } = action.subscription;
    words.add('-t', filter).add('-q', qos);
    if (noLocal) words.add('-nl', 'true');
    if (retainAsPublished) words.add('-rap', 'true');
    if (retainHandling) words.add('-rh', { send: 0, sendIfNew: 1, doNotSend: 2 }[retainHandling]);
    if (identifier !== undefined) words.add('-si', identifier);
    return { code: `${words}\n`, lacks };
  }
  const { topic, payload, qos, retain, properties: said = {} } = action.publication;
  words.add('-t', topic);
  if (qos) words.add('-q', qos);
  if (retain) words.add('-r');
  lacks.push(...mqttxProperties(words, MQTTX_PUBLISH, said));
  return { code: withPayload(words, payload, () => words.add('-m', utf8(payload) ?? '')), lacks };
}

/** A text as one word of a POSIX shell, whatever is in it. There is no word with U+0000. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_/.,:@-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command: its words, broken into lines where they are many. */
class Words {
  readonly #parts: string[];

  constructor(command: string) {
    this.#parts = [command];
  }

  /** An option with its values. */
  add(option: string, ...values: readonly (string | number)[]): this {
    return this.raw([option, ...values.map((value) => shellWord(String(value)))].join(' '));
  }

  raw(part: string): this {
    this.#parts.push(part);
    return this;
  }

  toString(): string {
    const line = this.#parts.join(' ');
    if (line.length <= LONGEST) return line;
    const lines = [this.#parts[0]!];
    for (const part of this.#parts.slice(1)) {
      const longer = `${lines.at(-1)} ${part}`;
      if (longer.length <= LONGEST) lines[lines.length - 1] = longer;
      else lines.push(`  ${part}`);
    }
    return lines.join(' \\\n');
  }
}

/** Words cannot hold every byte, nor too many of them: what they cannot goes through a pipe. */
function withPayload(words: Words, payload: Uint8Array, asWord: () => void): string {
  const text = utf8(payload);
  if (text !== undefined && !text.includes('\0') && payload.byteLength <= LONGEST_WORD) {
    asWord();
    return `${words}\n`;
  }
  words.add('-s');
  return `echo '${base64(payload)}' | base64 -d | ${words}\n`;
}

function mosquittoSub(words: Words, { filter, qos, noLocal, retainAsPublished, retainHandling, identifier }: ProfileSubscription): Code {
  words.add('-t', filter).add('-q', qos);
  if (retainAsPublished) words.add('--retain-as-published');
  if (identifier !== undefined) words.add('-D', 'subscribe', 'subscription-identifier', identifier);
  words.add('-v');
  const lacks = [...(noLocal ? ['No Local'] : []), ...(retainHandling && retainHandling !== 'send' ? ['Retain Handling'] : [])];
  return { code: `${words}\n`, lacks };
}

function mosquittoProperties(words: Words, command: 'publish' | 'will', properties: MessageProperties): string[] {
  const { userProperties, payloadFormatIndicator, correlationData, ...others } = properties;
  const [text, lacks] = correlationText(correlationData);
  if (payloadFormatIndicator) words.add('-D', command, 'payload-format-indicator', 1);
  for (const [name, value] of Object.entries(others)) words.add('-D', command, dashed(name), value as string | number);
  if (text !== undefined) words.add('-D', command, 'correlation-data', text);
  pairs(words, command, userProperties);
  return lacks;
}

function pairs(words: Words, command: string, userProperties: readonly UserProperty[] = []): void {
  for (const [name, value] of userProperties) words.add('-D', command, 'user-property', name, value);
}

function mqttxProperties(words: Words, names: MqttxNames, properties: MessageProperties): string[] {
  const { userProperties, payloadFormatIndicator, correlationData, ...others } = properties;
  const [text, lacks] = correlationText(correlationData);
  if (payloadFormatIndicator) words.add(names.payloadFormatIndicator);
  for (const [name, value] of Object.entries(others)) words.add(names[name as keyof typeof others], value as string | number);
  if (text !== undefined) words.add(names.correlationData, text);
  return [...lacks, ...mqttxPairs(words, names.userProperties, userProperties)];
}

/** It takes `name: value`, of which neither may be empty or hold that colon. */
function mqttxPairs(words: Words, option: string, userProperties: readonly UserProperty[] = []): string[] {
  const isSayable = (pair: UserProperty) => pair.every((text) => text !== '' && !text.includes(': ')) && !pair[0].endsWith(':');
  for (const [name, value] of userProperties.filter(isSayable)) words.add(option, `${name}: ${value}`);
  return userProperties.filter((pair) => !isSayable(pair)).map(([name]) => `User Property ${JSON.stringify(name)}`);
}

/** Correlation Data is a word too; where it cannot be one, it is missing. */
function correlationText(data: Uint8Array | undefined): [string | undefined, string[]] {
  const text = data && utf8(data);
  if (data === undefined || (text !== undefined && !text.includes('\0'))) return [text, []];
  return [undefined, ['Correlation Data']];
}

function host(url: URL | null): string {
  return url?.hostname.replace(/^\[|\]$/g, '') ?? 'localhost';
}

function port(url: URL | null): string {
  if (!url) return '8083';
  return url.port || (url.protocol === 'wss:' ? '443' : '80');
}

/** `messageExpiryInterval` as `message-expiry-interval`. */
function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

type MqttxNames = Record<keyof MessageProperties | 'willDelayInterval', string>;

const MQTTX_PUBLISH: MqttxNames = {
  payloadFormatIndicator: '-pf',
  messageExpiryInterval: '-e',
  contentType: '-ct',
  responseTopic: '-rt',
  correlationData: '-cd',
  userProperties: '-up',
  willDelayInterval: '-Wd',
};
const MQTTX_WILL: MqttxNames = {
  payloadFormatIndicator: '-Wpf',
  messageExpiryInterval: '-We',
  contentType: '-Wct',
  responseTopic: '-Wrt',
  correlationData: '-Wcd',
  userProperties: '-Wup',
  willDelayInterval: '-Wd',
};

const LONGEST = 96;
/** Bytes: Linux takes no word longer than 131,072. */
const LONGEST_WORD = 65_536;
