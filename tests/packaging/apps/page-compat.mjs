import mqtt from 'mqlite/compat';

const client = await mqtt.connectAsync(new URLSearchParams(location.search).get('server'));
client.on('message', (topic, payload) => console.log(`${topic} ${new TextDecoder().decode(payload)}`));
await client.subscribeAsync('tide/+', { qos: 1 });
await client.publishAsync('tide/low', '06:12', { qos: 1 });
