import type { BrokerLimits } from 'mqlite/broker';
import type { MqttBroker } from './broker-object.js';

/** What wrangler.jsonc binds. */
export interface Environment {
  /** One object a room, by the room's name. */
  readonly BROKER: DurableObjectNamespace<MqttBroker>;
  /** Limits of each room; those left out have the package's defaults. */
  readonly LIMITS: BrokerLimits;
}
