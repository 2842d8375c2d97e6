// The page: one measurement of one broker.

import { run } from '../within/closed-loop.mjs';
import * as brokers from '../within/brokers.mjs';

globalThis.measure = async ({ broker, ...task }) => run(await brokers[broker](), task);
