import { Broker } from 'mqlite/broker';
import { exchange } from './exchange.mjs';

export default {
  async fetch() {
    const broker = await Broker.open();
    const said = await exchange(await broker.connect());
    await broker.close();
    return new Response(said);
  },
};
