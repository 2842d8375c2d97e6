import { Broker } from 'mqlite/broker';
import { exchange } from './exchange.mjs';

const broker = await Broker.open();
console.log(await exchange(await broker.connect()));
await broker.close();
