const { Broker } = require('mqlite/broker');

(async () => {
  const { exchange } = await import('./exchange.mjs');
  const broker = await Broker.open();
  console.log(await exchange(await broker.connect()));
  await broker.close();
})();
