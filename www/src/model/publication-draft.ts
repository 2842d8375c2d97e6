// A publication as people write it down, and what becomes of it: bytes and properties. Knows no connection.

import type { MessageProperties, QoS, UserProperty } from 'mqlite/broker';
import type { Publication } from './connection.ts';
import { type Circumstances, fill, type GeneratorFault, hasPlaces } from './generators.ts';
import { INPUT_FORMATS, type InputFormat, parsePayload, type PayloadInput } from './payload-input.ts';
import { type Fault, pairsFault, textFault, topicFault } from './profile.ts';

/** What the publish form holds. From `contentType` on it is MQTT 5 only; empty texts and `null` are not sent. */
export interface PublicationDraft {
  readonly topic: string;
  /** As it was typed. */
  readonly payload: string;
  readonly format: InputFormat;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Whether the places of topic and payload are filled in. */
  readonly isFilled: boolean;
  readonly contentType: string;
  readonly messageExpiryInterval: number | null;
  readonly payloadFormatIndicator: boolean;
  readonly responseTopic: string;
  readonly correlationData: string;
  readonly userProperties: readonly UserProperty[];
}

/** What keeps a draft from being published. */
export type DraftFault = Fault | GeneratorFault | Extract<PayloadInput, { fault: string }>;
export type DraftFaults = Readonly<Partial<Record<keyof PublicationDraft, DraftFault>>>;

/** A draft with all that is not named at its default. */
export function newPublicationDraft(known: Partial<PublicationDraft> = {}): PublicationDraft {
  return {
    topic: '',
    payload: '',
    format: 'text',
    qos: 0,
    retain: false,
    isFilled: true,
    contentType: '',
    messageExpiryInterval: null,
    payloadFormatIndicator: false,
    responseTopic: '',
    correlationData: '',
    userProperties: [],
    ...known,
  };
}

/** The message that a draft stands for under these circumstances, or what is wrong, by field. */
export function toPublication(draft: PublicationDraft, isMqtt5: boolean, circumstances: Circumstances): { publication: Publication } | { faults: DraftFaults } {
  const { qos, retain } = draft;
  const topic = filled(draft, draft.topic, circumstances);
  const text = filled(draft, draft.payload, circumstances);
  const payload = typeof text === 'string' ? parsePayload(text, draft.format) : text;
  const faults: { [name in keyof PublicationDraft]?: DraftFault | undefined } = {
    topic: typeof topic === 'string' ? topicFault(topic) : topic,
    payload: 'fault' in payload ? payload : undefined,
    ...(isMqtt5 && propertyFaults(draft)),
  };
  const found = Object.entries(faults).filter(([, fault]) => fault !== undefined);
  if (found.length > 0 || typeof topic !== 'string' || !('bytes' in payload)) return { faults: Object.fromEntries(found) };
  const properties = isMqtt5 ? toProperties(draft) : {};
  return { publication: { topic, payload: payload.bytes, qos, retain, ...(Object.keys(properties).length > 0 && { properties }) } };
}

/** The User Properties, without lines that were left empty. */
export function saidPairs({ userProperties }: PublicationDraft): UserProperty[] {
  return userProperties.filter(([name, value]) => name !== '' || value !== '');
}

/** A draft from JSON of unknown origin, `undefined` if it is none. */
export function readPublicationDraft(value: unknown): PublicationDraft | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const known = value as Record<string, unknown>;
  const defaults = newPublicationDraft();
  if (typeof known['topic'] !== 'string' || typeof known['payload'] !== 'string') return undefined;
  const same = Object.entries(defaults).map(([name, usual]) => [name, typeof known[name] === typeof usual ? known[name] : usual]);
  const { format, qos, messageExpiryInterval: seconds, userProperties } = known;
  return {
    ...(Object.fromEntries(same) as PublicationDraft),
    format: INPUT_FORMATS.find((each) => each === format) ?? 'text',
    qos: qos === 1 || qos === 2 ? qos : 0,
    messageExpiryInterval: typeof seconds === 'number' ? seconds : null,
    userProperties: Array.isArray(userProperties) ? userProperties.filter(isPair) : [],
  };
}

function filled({ isFilled }: PublicationDraft, text: string, circumstances: Circumstances): string | GeneratorFault {
  return isFilled && hasPlaces(text) ? fill(text, circumstances) : text;
}

function propertyFaults({ contentType, messageExpiryInterval, responseTopic, correlationData, userProperties }: PublicationDraft) {
  return {
    contentType: textFault(contentType),
    messageExpiryInterval: messageExpiryInterval === null || (messageExpiryInterval >= 0 && messageExpiryInterval <= 0xffff_ffff) ? undefined : ('notWhole' as const),
    responseTopic: responseTopic === '' ? undefined : topicFault(responseTopic),
    correlationData: textFault(correlationData),
    userProperties: pairsFault(userProperties),
  };
}

function toProperties(draft: PublicationDraft): MessageProperties {
  const { contentType, messageExpiryInterval, payloadFormatIndicator, responseTopic, correlationData } = draft;
  const userProperties = saidPairs(draft);
  return {
    ...(payloadFormatIndicator && { payloadFormatIndicator }),
    ...(messageExpiryInterval !== null && { messageExpiryInterval }),
    ...(contentType !== '' && { contentType }),
    ...(responseTopic !== '' && { responseTopic }),
    ...(correlationData !== '' && { correlationData: new TextEncoder().encode(correlationData) }),
    ...(userProperties.length > 0 && { userProperties }),
  };
}

function isPair(value: unknown): value is UserProperty {
  return Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string');
}
