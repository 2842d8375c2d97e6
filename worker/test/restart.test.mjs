import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { start } from '../local.mjs';
import { connect } from './raw-client.mjs';

let workerd;
before(async () => (workerd = await start({ entry: fileURLToPath(new URL('evicting.js', import.meta.url)) })));
after(() => workerd.stop());

test('A broker that was restarted closes the WebSockets it does not know, and serves those who come back', async () => {
  const url = `ws://127.0.0.1:${workerd.port}/mqtt/restarted`;
  const clients = await Promise.all(['a', 'b'].map((clientId) => connect(url, { clientId })));
  const response = await fetch(`http://127.0.0.1:${workerd.port}/evict/restarted`);
  assert.equal(response.status, 200, await response.text());
  clients[0].send('c000');
  for (const { closed } of clients) assert.equal((await closed).code, 1012);
  const again = await connect(url, { clientId: 'a' });
  again.send('c000');
  await again.hears('d000');
  await again.close();
});
