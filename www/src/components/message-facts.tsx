// What stands beside the payload of a message: time, QoS and the properties of MQTT 5.

import { locale, t } from '../i18n/index.ts';
import { base64 } from '../model/formats.ts';
import type { LoggedMessage } from '../model/message.ts';
import { hex } from '../model/notation.ts';

export function MessageFacts({ message }: { message: LoggedMessage }) {
  const { time, qos, retain, dup, packetIdentifier, properties } = message;
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData } = properties;
  const facts: [name: string, value: string][] = [
    [t('message.time'), dateAndTime(time)],
    ['QoS', String(qos)],
  ];
  if (retain) facts.push([t('message.retain'), t('message.yes')]);
  if (dup) facts.push([t('message.dup'), t('message.yes')]);
  if (packetIdentifier !== undefined) facts.push(['Packet Identifier', String(packetIdentifier)]);
  if (contentType !== undefined) facts.push(['Content Type', contentType]);
  if (payloadFormatIndicator) facts.push(['Payload Format Indicator', 'UTF-8']);
  if (messageExpiryInterval !== undefined) facts.push(['Message Expiry Interval', t('message.seconds', { count: messageExpiryInterval })]);
  if (responseTopic !== undefined) facts.push(['Response Topic', responseTopic]);
  if (correlationData !== undefined) facts.push(['Correlation Data', `${hex(correlationData)} (Base64 ${base64(correlationData)})`]);
  if (properties.subscriptionIdentifiers?.length) facts.push(['Subscription Identifier', properties.subscriptionIdentifiers.join(', ')]);
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
      {properties.userProperties?.map(([name, value], index) => (
        <div key={index}>
          <dt>
            User Property <bdi>{name}</bdi>
          </dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The time of day to the millisecond, on the reader's clock. */
export function timeOfDay(time: number): string {
  return formatted('time', { ...TIME }, time);
}

function dateAndTime(time: number): string {
  return formatted('date', { year: 'numeric', month: '2-digit', day: '2-digit', ...TIME }, time);
}

function formatted(name: string, options: Intl.DateTimeFormatOptions, time: number): string {
  const key = `${locale.value} ${name}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale.value, options)));
  return format.format(time);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' } as const;
