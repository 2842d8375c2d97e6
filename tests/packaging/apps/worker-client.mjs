import { connect } from 'mqlite';
import { exchange } from './exchange.mjs';

export default {
  async fetch(request) {
    const client = await connect(new URL(request.url).searchParams.get('server'));
    const said = await exchange(client);
    await client.end();
    return new Response(said);
  },
};
