import { Broker, connect } from 'mqlite/broker';
import { exchange } from './exchange.mjs';

const broker = await Broker.open();
const { port1, port2 } = new MessageChannel();
broker.accept(port1);
console.log(await exchange(await connect(port2)));
