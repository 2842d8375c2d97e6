// A broker in a Web Worker, which serves whoever sends it a MessagePort.
import { Broker } from 'mqlite/broker';

const broker = Broker.open();
globalThis.onmessage = async ({ data }) => (await broker).accept(data);
