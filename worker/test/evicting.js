// The Worker with one more path: `/evict/ROOM` evicts that room's object, whose WebSockets stay open. Nothing keeps it awake here.

import unsafe from 'workerd:unsafe';
import worker from './index.js';

globalThis.setInterval = () => 0;

export * from './index.js';

export default {
  async fetch(request, environment) {
    const path = /^\/evict\/(.+)$/.exec(new URL(request.url).pathname);
    if (!path) return worker.fetch(request, environment);
    await unsafe.evict(environment.BROKER.getByName(path[1]), { webSockets: 'hibernate' });
    return new Response();
  },
};
