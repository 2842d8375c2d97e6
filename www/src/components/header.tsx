import type { BrokerStatistics } from 'mqlite/broker';

/** What this page is, and what its broker counts. */
export function Header({ statistics }: { statistics: BrokerStatistics | null }) {
  const figures: [string, number | undefined][] = [
    ['Clients', statistics?.clientsConnected],
    ['Subscriptions', statistics?.subscriptions],
    ['Messages in', statistics?.messagesReceived],
    ['Messages out', statistics?.messagesSent],
    ['Retained', statistics?.retainedMessages],
  ];

  return (
    <header class="page-head">
      <div>
        <img src="./icon.svg" alt="" />
        <h1>MQlite</h1>
        <p>An MQTT broker is running inside this page. Nothing leaves it.</p>
      </div>
      <dl class="figures" aria-label="Broker">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value === undefined ? '-' : value.toLocaleString('en')}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}
