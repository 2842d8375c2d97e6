// What must compile for those who use TypeScript. Checked by `npm run lint`, never run.

import mqtt from 'mqtt';
import { type BrokerEvent, Broker, connect, type Message, MqttError, type Transport, type Verdict } from '../src/entry/broker.js';

export async function everything(socket: WebSocket, port: MessagePort, transport: Transport): Promise<void> {
  const broker = await Broker.open({
    maximumQos: 1,
    authenticate: async ({ userName }): Promise<Verdict> => (userName ? { type: 'allow' } : { type: 'deny', reason: 0x87 }),
    onEvent: (event: BrokerEvent) => event.type === 'dropped' && console.log(event.why),
  });
  broker.accept(socket);
  broker.accept(port);
  broker.accept(transport);
  const likeAny: WebSocket = broker.webSocket();
  mqtt.connect('ws://in-this-program', { createWebsocket: () => likeAny });

  const client = await connect('wss://example.org/mqtt', { will: { topic: 'a', payload: 'b' } });
  const subscription = await client.subscribe('a', { qos: 1, retainHandling: 'sendIfNew' });
  for await (const message of subscription satisfies AsyncIterable<Message>) console.log(message.json());
  await client.subscribe('a', async (message) => console.log(message.text()));
  try {
    await client.publish('a', new ArrayBuffer(1), { properties: { userProperties: [['a', 'b']] } });
  } catch (error) {
    if (error instanceof MqttError && error.code === 'refused') console.log(error.reason, error.hint);
  }
  // @ts-expect-error there is no QoS 3
  await client.publish('a', 'b', { qos: 3 });
  const { cause } = await client.ended;
  console.log(cause satisfies string);
}
