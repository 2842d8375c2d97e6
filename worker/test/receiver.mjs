// A web server that takes what a room forwards, and answers as a test wants.

import { once } from 'node:events';
import { createServer } from 'node:http';

/** Starts one. `answer` is asked for the status of each request, or for a status and headers. */
export async function receive(answer = () => 200) {
  const requests = [];
  let heard = () => {};
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const got = { path: request.url, method: request.method, headers: request.headers, body, json: asJson(body) };
    requests.push(got);
    const said = answer(got, requests.length);
    const { status, headers = {} } = typeof said === 'object' ? said : { status: said };
    response.writeHead(status, headers).end('This is what nobody reads.');
    got.status = status;
    heard();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}/hook`,
    requests,
    /** The messages of those requests that were answered with 2xx, in order. */
    get taken() {
      return requests.filter(({ status }) => status >= 200 && status < 300).flatMap(({ json }) => json.messages);
    },
    set answer(next) {
      answer = next;
    },
    /** Resolves once `condition` holds, which is asked after each request. */
    async until(condition) {
      while (!condition()) await new Promise((resolve) => (heard = resolve));
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
