// Properties of MQTT 5: from the names and shapes of MQTT.js to those of this package, and back.

import type { MessageProperties, UserProperty } from '../message.js';
import type { ServerProperties } from '../options.js';
import { Bytes } from './bytes.js';
import type { IClientPublishOptions, IPublishPacket, IServerProperties, UserProperties } from './types.js';

/** A name with a list of values is said once for each. */
export function toPairs(properties: UserProperties): UserProperty[] {
  return Object.entries(properties).flatMap(([name, values]) => [values].flat().map((value): UserProperty => [name, value]));
}

/** A name that repeats gets the list of its values. */
export function fromPairs(pairs: readonly UserProperty[]): UserProperties {
  const properties: UserProperties = {};
  for (const [name, value] of pairs) {
    const before = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const said = before === undefined ? value : [before, value].flat();
    Object.defineProperty(properties, name, { value: said, enumerable: true, configurable: true, writable: true });
  }
  return properties;
}

/** The properties of a message, or of a will, which has one more. A Topic Alias is left out: the client sets its own. */
export function toMessageProperties<T extends NonNullable<IClientPublishOptions['properties']>>(properties: T) {
  const { topicAlias: _, userProperties, correlationData, ...rest } = properties;
  return {
    ...rest,
    ...(userProperties && { userProperties: toPairs(userProperties) }),
    ...(correlationData !== undefined && {
      correlationData: typeof correlationData === 'string' ? new TextEncoder().encode(correlationData) : correlationData,
    }),
  };
}

/** The properties of a message that came, if there are any. */
export function fromMessageProperties(said: MessageProperties): IPublishPacket['properties'] {
  const { userProperties, correlationData, ...rest } = said;
  const properties = {
    ...rest,
    ...(userProperties && { userProperties: fromPairs(userProperties) }),
    ...(correlationData && { correlationData: Bytes.over(correlationData) }),
  };
  return Object.keys(properties).length > 0 ? properties : undefined;
}

/** What the server said of itself, if it said anything. */
export function fromServerProperties(server: ServerProperties): IServerProperties | undefined {
  const { maximumQos, userProperties, authenticationMethod: _, authenticationData: __, ...rest } = server;
  const properties: IServerProperties = {
    ...rest,
    ...(maximumQos !== undefined && { maximumQoS: maximumQos }),
    ...(userProperties && { userProperties: fromPairs(userProperties) }),
  };
  return Object.keys(properties).length > 0 ? properties : undefined;
}
