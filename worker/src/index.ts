// The Worker.

import { app } from './app.js';
import type { Environment } from './environment.js';

export { MqttBroker } from './broker-object.js';

const handler: ExportedHandler<Environment> = { fetch: app.fetch };

export default handler;
