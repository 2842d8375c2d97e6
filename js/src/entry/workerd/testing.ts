// `mqlite/testing` in Cloudflare Workers and their like.

import { TestBroker, type TestBrokerOptions } from '../../testing/test-broker.js';
import { supply } from '../deployed/broker.js';
import { Broker } from './broker.js';

export * from '../../testing/index.js';

/** `testBroker` of `mqlite/testing`, here. */
export function testBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  return TestBroker.open({ ...supply, Broker }, options);
}
