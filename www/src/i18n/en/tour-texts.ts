// What the tour says, in English. Loaded with the tour.

import type { LessonName } from '../../model/tour-progress.ts';

/** What is said of one lesson. In all but the title and the button, what stands between `` ` `` is code. */
export interface LessonTexts {
  readonly title: string;
  /** Two or three sentences. */
  readonly text: string;
  /** What its button does. */
  readonly action: string;
  /** What to notice when it is done; `{name}` is what came out. */
  readonly notice: readonly string[];
}

export interface TourTexts {
  readonly lessons: Readonly<Record<LessonName, LessonTexts>>;
}

export const tourTexts: TourTexts = {
  lessons: {
    client: {
      title: 'Client and broker',
      text: 'In MQTT nobody talks to anybody directly. Every program or device is a client of one broker: it opens a connection, says who it is, and may then send and receive. The broker of this tour runs inside this page.',
      action: 'Connect a phone',
      notice: [
        'The first packet is always the client’s `CONNECT`; `CONNACK` is the broker’s answer, and says whether the client is let in.',
        'With the phone the broker had {clients} clients. Most of the others are simulated sensors that run in this page too.',
        'The phone ended with `DISCONNECT`. A connection that ends without it is taken for a failure: the lesson on wills shows what follows.',
      ],
    },
    topic: {
      title: 'Topics',
      text: 'A message is published to a topic: a name with levels, such as `tour/kitchen/lamp`. Whoever subscribes to that topic gets it. The publisher does not know who that is, or whether there is anybody.',
      action: 'Subscribe a lamp, press the switch',
      notice: [
        'The switch published {sent} messages, and the lamp got {received}: it had not subscribed to `tour/garden/lamp`.',
        'Topics need not be set up. One exists as soon as somebody publishes or subscribes to it.',
        'The payload is bytes. Here they say `on` and `off`; they may as well be JSON or a picture.',
      ],
    },
    wildcard: {
      title: 'Wildcards',
      text: 'A subscription may be to many topics at once. In its Topic Filter `+` stands for any one level, and `#` at the end for all that follow. Two clients subscribe to the sensors of this page in these two ways.',
      action: 'Subscribe to sensor/+/temperature and sensor/10/#',
      notice: [
        '`sensor/+/temperature` brought the temperatures of {dashboard} sensors, and nothing else.',
        '`sensor/10/#` brought all that sensor 10 says: {archive} topics.',
        'Its status came at once, although nobody published it just now: it is a retained message, of which more later.',
      ],
    },
    qos0: {
      title: 'QoS 0: at most once',
      text: 'Each message has a Quality of Service. With QoS 0 it is sent once, and nobody acknowledges it. A sensor publishes three messages, and we lose the second on its way, as happens when a connection breaks.',
      action: 'Publish three, lose one',
      notice: [
        'Of {sent} messages {received} arrived. Nobody noticed: neither the sensor, nor the broker, nor the phone.',
        'For a temperature that is measured every second that is fine: the next one comes soon, and each costs one small packet.',
      ],
    },
    qos1: {
      title: 'QoS 1: at least once',
      text: 'With QoS 1 the receiver acknowledges each message with a `PUBACK`. Until that comes, the sender keeps the message, and sends it again on its next connection. We break the connection just as the `PUBACK` is on its way.',
      action: 'Publish one, lose its PUBACK',
      notice: [
        'The sensor could not know that its message had arrived, so it sent it again, with the same Packet Identifier and the flag `DUP`.',
        'The phone got `hello` {copies} times. At least once may be twice: that is the price of not losing anything.',
        'Use it for what must arrive and does no harm twice, such as “the door is open”.',
      ],
    },
    qos2: {
      title: 'QoS 2: exactly once',
      text: 'With QoS 2 a message takes four packets: `PUBLISH`, `PUBREC`, `PUBREL`, `PUBCOMP`. The receiver remembers the Packet Identifier until `PUBREL` says that it may forget it. The same mishap again: the first answer is lost.',
      action: 'Publish one, lose its PUBREC',
      notice: [
        'The sensor sent the message again, with `DUP`. The broker knew its Packet Identifier, and did not take it for another one.',
        'Copies of `hello` that the phone got: {copies}.',
        'Use it for what must not happen twice, such as an order or a reading that is added up. It takes two round trips.',
      ],
    },
    retained: {
      title: 'Retained messages',
      text: 'A message that is published with the flag Retain stays with the broker as the latest of its topic. Who subscribes later gets it at once. A door says that it is open and leaves; then a phone comes.',
      action: 'Publish, leave, then subscribe',
      notice: [
        'The door was gone already, and the phone still learned that it is open. `RETAIN` on a message that is received says: this is not new.',
        'There is at most one retained message for each topic; the next replaces it.',
        'An empty retained message deletes it. The phone did that: kept before {kept}, after {left}.',
      ],
    },
    will: {
      title: 'The will',
      text: 'With its `CONNECT` a client may leave a will: a message that the broker publishes if the connection ends without a `DISCONNECT`. A heater connects with the will `offline`, says `online`, and then we cut its connection.',
      action: 'Cut the heater’s connection',
      notice: [
        'The heater never sent `offline`. The broker did, on its behalf, as soon as the connection was gone.',
        'When nobody closes the connection, as with a flat battery, the broker waits for one and a half times the Keep Alive first.',
        'A retained status, and a retained will for it, tell anybody at any time whether a device is there.',
      ],
    },
    session: {
      title: 'Persistent sessions',
      text: 'A session is what the broker knows of a client: its subscriptions, and messages for it. With a Session Expiry Interval it outlives the connection, and messages of QoS 1 and 2 wait in it. A phone subscribes and leaves; then there is an alarm.',
      action: 'Leave, miss two alarms, come back',
      notice: [
        'While the phone was away, the broker kept {queued} messages for it. When it came back, it got {received}.',
        'It did not subscribe again: `CONNACK` said Session Present, so the subscription was still there.',
        'A client with Clean Start begins anew instead, and what waited for it is gone.',
      ],
    },
  },
};
