// The Worker with a way of its own to let people in, which tells how much work passwords were: `/work` answers with the rounds of
// hashing, one number for each. `/copies` answers with how many records the room was handed to find users in.

import worker, { MqttBroker as Room } from './index.js';

export class MqttBroker extends Room {
  async authenticate(request, context) {
    await new Promise((resolve) => setTimeout(resolve));
    this.#count();
    if (request.userName === 'throws') throw new Error('What the hook says is for its log.');
    if (request.userName === 'elsewhere') return { type: 'redirect', server: 'other.example' };
    if (context.peerAddress === '192.0.2.99') return { type: 'allow', userName: 'neighbour', grants: [{ filter: 'next/%u/#' }] };
    return super.authenticate(request, context);
  }

  async putUser(name) {
    await this.users.put(name, { password: 'pencil and paper' });
    return new Response();
  }

  #count() {
    if (Object.hasOwn(this.broker, 'kept')) return;
    const kept = this.broker.kept;
    this.broker.kept = (prefix) => {
      const found = kept.call(this.broker, prefix);
      copies += found.size;
      return found;
    };
  }
}

let copies = 0;

const rounds = [];
const { subtle } = crypto;
const { deriveBits } = subtle;
subtle.deriveBits = function (algorithm, ...rest) {
  rounds.push(algorithm.iterations);
  return deriveBits.call(subtle, algorithm, ...rest);
};

export default {
  fetch(request, environment) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/work') return Response.json(rounds.splice(0));
    if (pathname === '/copies') return Response.json(copies);
    return pathname === '/users' ? environment.BROKER.getByName('default').putUser(searchParams.get('name')) : worker.fetch(request, environment);
  },
};
