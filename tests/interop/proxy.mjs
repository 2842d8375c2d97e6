// A TCP proxy between a client and its server, whose connections are cut when somebody says so: at once, or in mid-packet.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Starts a proxy to a port of loopback. */
export async function startProxy(to) {
  const proxy = new Proxy(to);
  await proxy.listen();
  return proxy;
}

class Proxy {
  /** Connections that were cut. */
  cuts = 0;
  #to;
  #server = createServer((socket) => this.#accept(socket));
  #connections = new Set();
  /** What is to happen: which way, after how many bytes, and whom to tell. */
  #planned;

  constructor(to) {
    this.#to = to;
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port() {
    return this.#server.address().port;
  }

  /** Cuts every connection now. Returns how many there were. */
  cut() {
    const connections = [...this.#connections];
    this.#planned = undefined;
    for (const connection of connections) this.#cut(connection);
    return connections.length;
  }

  /** Cuts the connection that passes on the last of so many bytes `up` to the server or `down` to the client. Resolves then. */
  cutAfter(way, bytes) {
    return new Promise((resolve) => (this.#planned = { way, bytes, resolve }));
  }

  async stop() {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client) {
    const connection = { client, server: connect(this.#to, '127.0.0.1') };
    this.#connections.add(connection);
    this.#pass(connection, 'up', client, connection.server);
    this.#pass(connection, 'down', connection.server, client);
  }

  #pass(connection, way, from, to) {
    from.setNoDelay(true);
    from.on('data', (chunk) => this.#passOn(connection, way, chunk, to));
    from.on('error', () => {}); // `close` follows
    from.on('close', () => {
      this.#connections.delete(connection);
      to.destroy();
    });
  }

  #passOn(connection, way, chunk, to) {
    const planned = this.#planned;
    if (planned?.way !== way || (planned.bytes -= chunk.length) > 0) return void to.write(chunk);
    this.#planned = undefined;
    const kept = chunk.subarray(0, chunk.length + planned.bytes);
    // What went before is to arrive, and what comes after is not.
    to.write(kept, () => this.#cut(connection));
    planned.resolve();
  }

  #cut(connection) {
    if (!this.#connections.delete(connection)) return;
    this.cuts += 1;
    connection.client.destroy();
    connection.server.destroy();
  }
}
