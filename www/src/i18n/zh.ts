// The Chinese texts: the keys of the English ones, one file a part of the page.

import { bench } from './zh/bench.ts';
import { broker } from './zh/broker.ts';
import { connect } from './zh/connect.ts';
import { messages } from './zh/messages.ts';
import { payload } from './zh/payload.ts';
import { problems } from './zh/problems.ts';
import { publish } from './zh/publish.ts';
import { shell } from './zh/shell.ts';
import { topics } from './zh/topics.ts';
import { tour } from './zh/tour.ts';
import { wire } from './zh/wire.ts';
import type { Texts } from './index.ts';

export const zh: Texts = { ...shell, ...connect, ...problems, ...tour, ...messages, ...payload, ...publish, ...topics, ...wire, ...broker, ...bench };
