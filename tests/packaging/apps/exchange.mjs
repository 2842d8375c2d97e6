/** Publishes to itself, as every row does. Resolves with what came back. */
export async function exchange(client) {
  const subscription = await client.subscribe('tide/+', { qos: 1 });
  await client.publish('tide/low', '06:12', { qos: 1 });
  for await (const message of subscription) return `${message.topic} ${message.text()}`;
}
