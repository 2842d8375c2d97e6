// The English texts, which are the type of all languages: one file a part of the page.

import { bench } from './en/bench.ts';
import { broker } from './en/broker.ts';
import { connect } from './en/connect.ts';
import { messages } from './en/messages.ts';
import { payload } from './en/payload.ts';
import { problems } from './en/problems.ts';
import { publish } from './en/publish.ts';
import { shell } from './en/shell.ts';
import { topics } from './en/topics.ts';
import { tour } from './en/tour.ts';
import { wire } from './en/wire.ts';

export const en = { ...shell, ...connect, ...problems, ...tour, ...messages, ...payload, ...publish, ...topics, ...wire, ...broker, ...bench };
