// Another Worker, which has the rooms as a binding: each path is something that it does.

import { session } from '../src/session.ts';

const orders = {
  async publish({ room, request }) {
    const { topic, payload, options } = await request.json();
    return room.publish(topic, payload, options);
  },
  async publishBytes({ room, request }) {
    return room.publish('bytes', new Uint8Array(await request.arrayBuffer()), { qos: 1, properties: { contentType: 'image/x-raw' } });
  },
  async publishAll({ room, request }) {
    return room.publishAll(await request.json());
  },
  async retained({ room, request }) {
    const { filter, options } = await request.json();
    const { items, next } = await room.retained(filter, options);
    return { items: items.map(({ topic, payload }) => [topic, new TextDecoder().decode(payload)]), next };
  },
  clients: ({ room }) => room.clients(),
  async admit({ room, request }) {
    return room.admit(await request.json());
  },
  /** Opens a WebSocket at the room itself, with more headers, and answers with the status. */
  async upgrade({ room, request }) {
    const { status, webSocket } = await room.fetch('https://room/mqtt', { headers: { Upgrade: 'websocket', ...(await request.json()) } });
    webSocket?.accept();
    webSocket?.close();
    return status;
  },
  async kick({ room, request }) {
    return room.kick(...(await request.json()));
  },
  stats: ({ room }) => room.stats(),
  async putUser({ room, request }) {
    return room.putUser(...(await request.json()));
  },
  listUsers: ({ room }) => room.listUsers(),
  async removeUser({ room, request }) {
    return room.removeUser(await request.json());
  },
  async trace({ room, request }) {
    return new Response(await room.trace(...(await request.json())));
  },
  /** Subscribes, publishes, and answers with the first message that came. */
  async hear({ room, request }) {
    const { options, filter, topic } = await request.json();
    const client = await session(room, options);
    const came = Promise.withResolvers();
    await client.subscribe(filter, { qos: 1 }, (message) => came.resolve([message.topic, message.text()]));
    await room.publish(topic, 'heard', { qos: 1 });
    const first = await came.promise;
    await client.end();
    return first;
  },
  /** The HTTP API, by the Service binding. */
  async api({ environment, request }) {
    const { path, method = 'GET', token, body } = await request.json();
    return environment.MQTT.fetch(`https://mqtt${path}`, { method, body, headers: { Authorization: `Bearer ${token}` } });
  },
};

export default {
  async fetch(request, environment) {
    const [, name, order] = new URL(request.url).pathname.split('/');
    const room = environment.BROKER.getByName(name);
    try {
      const answer = await orders[order]({ room, request, environment });
      return answer instanceof Response ? answer : Response.json(answer ?? null);
    } catch ({ name, message, code, reason }) {
      return Response.json({ thrown: { name, message, code, reason } });
    }
  },
};
