// The public names for those who test, but for `testBroker` itself: see entry/testing.ts.

export type { TestClock } from './clock.js';
export type { TestConnection } from './connection.js';
export type { CutOptions, Fault, FaultOptions } from './faults.js';
export type { PacketChoice, PacketFilter, TracedPacket } from './filter.js';
export type { StopOptions, TestBroker, TestBrokerOptions } from './test-broker.js';
export type { Trace, WaitOptions } from './trace.js';
