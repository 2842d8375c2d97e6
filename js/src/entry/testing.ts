// `mqlite/testing`: a broker for tests, with a clock, a trace and faults. Its WebAssembly is that of `mqlite/broker`.

import { TestBroker, type TestBrokerOptions } from '../testing/test-broker.js';
import { Broker } from './broker.js';
import { supply } from './inlined/broker.js';

export * from '../testing/index.js';

/**
 * Opens a broker in the test's own process. Its time stands still until the test advances it, and it ends with `await using`
 * or `close()`.
 * @throws MqttError `invalid-options` or `unsupported`.
 */
export function testBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  return TestBroker.open({ ...supply, Broker }, options);
}
