import { signal } from '@preact/signals';
import { Broker, type BrokerStatistics } from 'mqlite/broker';
import { sentence } from '../text.js';
import { ClientModel } from './client.js';

/** Milliseconds between two looks at the broker's figures. */
const REFRESH = 250;

/** Everything that the page shows: a broker of its own, and clients of that broker. */
export class Console {
  readonly clients = signal<readonly ClientModel[]>([]);
  /** What the broker counts; `null` until it runs. */
  readonly statistics = signal<BrokerStatistics | null>(null);
  /** Why there is no broker, as a sentence. */
  readonly problem = signal<string | null>(null);
  #broker: Broker | null = null;

  /** Opens the broker and connects two clients. */
  static start(): Console {
    const console = new Console();
    void console.#open();
    return console;
  }

  addClient(clientId?: string): void {
    if (!this.#broker) return;
    const number = this.clients.value.length + 1;
    const client = new ClientModel(this.#broker, number, clientId ?? `client-${number}`);
    this.clients.value = [...this.clients.value, client];
    void client.connect();
  }

  async #open(): Promise<void> {
    try {
      const broker = await Broker.open();
      this.#broker = broker;
      this.addClient('dashboard');
      this.addClient('sensor-10');
      setInterval(() => (this.statistics.value = broker.statistics()), REFRESH);
    } catch (error) {
      this.problem.value = sentence(error);
    }
  }
}
