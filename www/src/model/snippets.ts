// What a connection does, as code for others: the same in a program or on a command line. Knows nothing of how it is shown.

import { type Profile, toConnectOptions } from './profile.ts';
import { isSecret } from './share.ts';
import { mqliteCode, mqttJsCode } from './snippet-javascript.ts';
import { mosquittoCode, mqttxCode } from './snippet-shell.ts';
import { type Action, type Code, hasPassword, PASSWORD, type Source } from './snippet-source.ts';

export const TOOLS = ['mqlite', 'mqttjs', 'mosquitto', 'mqttx'] as const;
export type Tool = (typeof TOOLS)[number];

/** What a reader has to know of a snippet, and what of it. */
export interface SnippetNote {
  readonly note: 'inTab' | 'tcp' | 'clientId' | 'password' | 'secret' | 'scram' | 'lacks';
  readonly what?: string;
}

export interface Snippet {
  readonly code: string;
  readonly notes: readonly SnippetNote[];
}

/** The code that does the same with this tool. Passwords and what is called like one are not in it. */
export function snippet(tool: Tool, profile: Profile, action: Action): Snippet {
  const clean = withoutSecrets(profile);
  const harmless = withoutSecret(action);
  const source: Source = {
    url: clean.server === 'tab' ? null : new URL(clean.server),
    profile: clean,
    options: optionsOf(clean),
    action: harmless,
  };
  const { code, lacks } = CODES[tool](source);
  const isScram = profile.authentication === 'scram' && tool !== 'mqlite';
  const notes: SnippetNote[] = [
    ...(source.url === null && tool !== 'mqlite' ? [{ note: 'inTab' as const }] : []),
    ...(source.url !== null && tool === 'mosquitto' ? [{ note: 'tcp' as const }] : []),
    ...(source.url !== null && profile.clientId !== '' ? [{ note: 'clientId' as const, what: profile.clientId }] : []),
    ...(isScram ? [{ note: 'scram' as const }] : hasPassword(profile) ? [{ note: 'password' as const, what: PASSWORD }] : []),
    ...(JSON.stringify([clean, harmless]) === JSON.stringify([profile, action]) ? [] : [{ note: 'secret' as const, what: PLACEHOLDER }]),
    ...(lacks.length > 0 ? [{ note: 'lacks' as const, what: lacks.join(', ') }] : []),
  ];
  return { code, notes };
}

/** What stands for other secrets. */
const PLACEHOLDER = 'SECRET';

/** Without what is the default, as `toConnectOptions` says it. */
function optionsOf(profile: Profile): Source['options'] {
  const { properties: { requestProblemInformation, ...said } = {}, ...options } = toConnectOptions(profile);
  const properties = { ...said, ...(requestProblemInformation === false && { requestProblemInformation }) };
  return { ...options, ...(Object.keys(properties).length > 0 && { properties }) };
}

function withoutSecrets(profile: Profile): Profile {
  const { server, properties, will } = profile;
  return {
    ...profile,
    server: server === 'tab' ? server : addressWithout(server),
    properties: { ...properties, userProperties: properties.userProperties.map(harmlessPair) },
    will: will && { ...will, userProperties: will.userProperties.map(harmlessPair) },
  };
}

function withoutSecret(action: Action): Action {
  if (action.kind === 'subscribe' || !action.publication.properties?.userProperties) return action;
  const { properties } = action.publication;
  return { ...action, publication: { ...action.publication, properties: { ...properties, userProperties: properties.userProperties!.map(harmlessPair) } } };
}

function addressWithout(server: string): string {
  if (!URL.canParse(server)) return 'ws://localhost:8083/mqtt';
  const url = new URL(server);
  const secrets = [...url.searchParams.keys()].filter(isSecret);
  for (const name of secrets) url.searchParams.set(name, PLACEHOLDER);
  url.username = '';
  url.password = '';
  return secrets.length > 0 || server.includes('@') ? url.href : server;
}

function harmlessPair([name, value]: [string, string]): [string, string] {
  return [name, isSecret(name) ? PLACEHOLDER : value];
}

const CODES: Record<Tool, (source: Source) => Code> = { mqlite: mqliteCode, mqttjs: mqttJsCode, mosquitto: mosquittoCode, mqttx: mqttxCode };
