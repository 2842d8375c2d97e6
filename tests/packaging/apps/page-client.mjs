import { connect } from 'mqlite';
import { exchange } from './exchange.mjs';

const client = await connect(new URLSearchParams(location.search).get('server'));
console.log(await exchange(client));
