// `mqlite/shared-worker`: one broker for all pages of an origin, in a SharedWorker.

import { MqttError } from '../error.js';
import type { BrokerOptions } from '../options.js';
import { PortTransport } from '../port.js';
import { Broker } from './broker.js';

export type { Broker };

/**
 * Opens a broker and serves every page that connects to this SharedWorker. Call it at once, before the script awaits anything:
 * the platform tells of a page once. A whole worker is
 *
 *     import { serve } from 'mqlite/shared-worker';
 *     serve();
 *
 * and a page connects with
 *
 *     await connect(() => new SharedWorker(new URL('./worker.js', import.meta.url), { type: 'module' }).port);
 *
 * If the broker cannot be opened, or is over, `connect` of each page fails with the error, and the worker ends a moment later: an attempt
 * after that begins another. The connection of a page that is closed, crashes or is left ends at once, in pages that came over HTTPS or from
 * localhost; elsewhere its Keep Alive ends it.
 *
 * Some browsers, such as Chrome for Android, have no SharedWorker. There `connect(await Broker.open())` gives each page a broker of
 * its own, which no other page hears.
 * @throws MqttError `unsupported` outside a SharedWorker. The promise rejects as that of `Broker.open` does.
 */
export function serve(options: BrokerOptions = {}): Promise<Broker> {
  const scope = globalThis as unknown as SharedWorkerScope;
  if (!('onconnect' in scope)) {
    throw new MqttError('unsupported', 'This is no SharedWorker.', {
      hint: 'Call serve in the script of one: new SharedWorker(address, { type: "module" }).',
    });
  }
  const opening = Broker.open(options);
  scope.onconnect = async ({ ports: [port] }) => {
    const broker = await opening.catch((error: MqttError) => error);
    const transport = new PortTransport(port); // which bytes come from at once
    try {
      if (broker instanceof MqttError) throw broker;
      broker.accept(transport);
      transport.watch();
    } catch (error) {
      transport.fail(error as MqttError);
      // Whoever tries again at once would be lost on the way to a worker that ends.
      setTimeout(() => scope.close(), MOMENT);
    }
  };
  opening.catch(() => {}); // the pages hear of it
  return opening as Promise<Broker>;
}

/** Milliseconds. */
const MOMENT = 100;

/** The part of a SharedWorkerGlobalScope that is needed. */
interface SharedWorkerScope {
  onconnect: ((event: { ports: readonly [MessagePort] }) => void) | null;
  close(): void;
}
