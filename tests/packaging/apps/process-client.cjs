const { connect } = require('mqlite');
const WebSocket = require('ws');

(async () => {
  const { exchange } = await import('./exchange.mjs');
  const client = await connect(new WebSocket(process.argv[2], 'mqtt'));
  console.log(await exchange(client));
  await client.end();
})();
