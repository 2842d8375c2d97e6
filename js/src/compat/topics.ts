// What an application can name when it subscribes, unsubscribes or grants are told.

import { MqttError } from '../error.js';
import type { SubscribeOptions } from '../options.js';
import { toPairs } from './properties.js';
import type {
  IClientSubscribeOptions,
  IClientSubscribeProperties,
  ISubscriptionGrant,
  ISubscriptionMap,
  ISubscriptionRequest,
} from './types.js';

/**
 * The subscriptions that are asked for.
 * @throws MqttError `invalid-topic` or `invalid-options`.
 */
export function toRequests(
  topics: string | string[] | ISubscriptionMap,
  options: Partial<IClientSubscribeOptions> | IClientSubscribeProperties,
  version: 4 | 5,
): ISubscriptionRequest[] {
  const isMap = typeof topics === 'object' && topics !== null && !Array.isArray(topics);
  const filters = isMap ? Object.keys(topics).filter((name) => name !== 'resubscribe') : toFilters(topics);
  checkFilters(filters);
  return filters.map((topic) => {
    // In a list MQTT.js fills in what was left out, in a map it does not: the grants show it.
    const said = isMap ? topics[topic] : { ...(version === 5 && { nl: false, rap: false, rh: 0 }), ...options };
    const { qos = 0, nl, rap, rh, properties = options.properties } = said ?? {};
    const request: ISubscriptionRequest = { topic, qos };
    if (version === 5) Object.assign(request, present({ nl, rap, rh, properties }));
    return request;
  });
}

/**
 * The filters of a list, or the only one.
 * @throws MqttError `invalid-topic`.
 */
export function toFilters(topics: unknown): string[] {
  const filters = Array.isArray(topics) ? topics : [topics];
  if (filters.every((filter) => typeof filter === 'string')) return filters;
  throw new MqttError('invalid-topic', 'A topic must be a string.');
}

/** What the client is told. */
export function toSubscribeOptions({ qos, nl, rap, rh, properties }: ISubscriptionRequest): SubscribeOptions {
  const { userProperties, ...others } = properties ?? {};
  const [unknown] = Object.keys(others);
  if (unknown) throw new MqttError('invalid-options', `The property "${unknown}" of a subscription is not covered.`);
  const retainHandling = rh === undefined ? undefined : RETAIN_HANDLING[rh];
  if (rh !== undefined && !retainHandling) throw new MqttError('invalid-options', 'rh must be 0, 1 or 2.');
  return present({
    qos,
    noLocal: nl,
    retainAsPublished: rap,
    retainHandling,
    userProperties: userProperties && toPairs(userProperties),
  }) as SubscribeOptions;
}

/** The request with the QoS that was granted. */
export function toGrant({ properties, ...request }: ISubscriptionRequest, qos: number): ISubscriptionGrant {
  return { ...request, ...(properties && { properties }), qos: qos as ISubscriptionGrant['qos'] };
}

/** Before anything is sent: one filter that cannot be is a reason to send none. */
function checkFilters(filters: readonly string[]): void {
  if (filters.length === 0) throw new MqttError('invalid-topic', 'There is no topic to subscribe to.');
  for (const filter of filters) {
    const levels = filter.split('/');
    const isValid = levels.every(
      (level, index) => level === '+' || (level === '#' && index === levels.length - 1) || !/[+#]/.test(level),
    );
    if (!isValid || filter === '') {
      throw new MqttError('invalid-topic', `There is no such filter as ${JSON.stringify(filter)}.`, {
        hint: 'A + stands for one whole level, and # for all that follow, at the end.',
      });
    }
  }
}

function present(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined));
}

const RETAIN_HANDLING = ['send', 'sendIfNew', 'doNotSend'] as const;
