// The Worker with a way of its own to let people in.

import worker, { MqttBroker as Room } from './index.js';

export class MqttBroker extends Room {
  async authenticate(request, context) {
    await new Promise((resolve) => setTimeout(resolve));
    if (request.userName === 'throws') throw new Error('What the hook says is for its log.');
    if (request.userName === 'elsewhere') return { type: 'redirect', server: 'other.example' };
    if (context.peerAddress === '192.0.2.99') return { type: 'allow', userName: 'neighbour', grants: [{ filter: 'next/%u/#' }] };
    return super.authenticate(request, context);
  }
}

export default worker;
