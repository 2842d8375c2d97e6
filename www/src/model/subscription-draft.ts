// A subscription as people write it down: with the group of a shared one in a field of its own. Knows no connection.

import type { QoS } from 'mqlite/broker';
import type { Fault, ProfileSubscription } from './profile.ts';

/** What the subscribe form holds. All but the first two and the colour are MQTT 5 only. */
export interface SubscriptionDraft {
  /** Without what makes it a shared one. */
  readonly filter: string;
  readonly qos: QoS;
  /** The Share Name: those of one group share the messages. Empty: it is not shared. */
  readonly group: string;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 'send' | 'sendIfNew' | 'doNotSend';
  readonly identifier: number | null;
  /** `null`: the next one. */
  readonly colour: number | null;
}

/** A draft with all that is not named at its default. */
export function newSubscriptionDraft(known: Partial<SubscriptionDraft> = {}): SubscriptionDraft {
  return {
    filter: '',
    qos: 0,
    group: '',
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 'send',
    identifier: null,
    colour: null,
    ...known,
  };
}

/** What is wrong with a draft, by field. Whether the filter is one is left to the client, which says it in more words. */
export function checkSubscriptionDraft({ group, filter, noLocal, identifier }: SubscriptionDraft): Readonly<Record<string, Fault>> {
  const isShared = group !== '' || filter.startsWith('$share/');
  return {
    ...(/[/+#\0]/.test(group) && { group: 'badShareName' as const }), // [MQTT-4.8.2-1]
    ...(isShared && noLocal && { noLocal: 'noLocalShared' as const }), // [MQTT-3.8.3-4]
    ...(identifier !== null && !(identifier >= 1 && identifier <= MOST_IDENTIFIER) && { identifier: 'notWhole' as const }),
  };
}

/** The draft as a connection wants it. */
export function toSubscription(draft: SubscriptionDraft, isMqtt5: boolean): ProfileSubscription {
  const { filter, qos, group, noLocal, retainAsPublished, retainHandling, identifier, colour } = draft;
  const chosen = colour === null ? {} : { colour };
  if (!isMqtt5) return { filter, qos, ...chosen };
  return {
    filter: group === '' ? filter : `$share/${group}/${filter}`,
    qos,
    ...(noLocal && { noLocal }),
    ...(retainAsPublished && { retainAsPublished }),
    ...(retainHandling !== 'send' && { retainHandling }),
    ...(identifier !== null && { identifier }),
    ...chosen,
  };
}

/** The draft that a subscription would have come from. */
export function fromSubscription({ filter: whole, identifier, retainHandling, ...others }: ProfileSubscription): SubscriptionDraft {
  const [, group = '', filter = whole] = SHARED.exec(whole) ?? [];
  const { qos, noLocal = false, retainAsPublished = false, colour = null } = others;
  return { filter, qos, group, noLocal, retainAsPublished, retainHandling: retainHandling ?? 'send', identifier: identifier ?? null, colour };
}

const SHARED = /^\$share\/([^/+#]+)\/(.+)$/s;

/** The package gives itself those above. */
const MOST_IDENTIFIER = 134_217_727;
