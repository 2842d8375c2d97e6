import { ClientPanel } from './components/client-panel.js';
import { Header } from './components/header.js';
import { Notice } from './components/notice.js';
import type { Console } from './state/console.js';

/** The page: the broker's figures over the clients. */
export function App({ console }: { console: Console }) {
  return (
    <>
      <Header statistics={console.statistics.value} />
      <main>
        {console.problem.value !== null && (
          <Notice text={console.problem.value} onDismiss={() => (console.problem.value = null)} />
        )}
        <div class="panels">
          {console.clients.value.map((client) => (
            <ClientPanel key={client.number} client={client} />
          ))}
        </div>
        <button type="button" class="secondary add" onClick={() => console.addClient()}>
          Add a client
        </button>
      </main>
    </>
  );
}
