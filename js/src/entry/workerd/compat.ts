// `mqlite/compat` in Cloudflare Workers and their like.

import * as mqtt from '../deployed/compat.js';

export * from '../deployed/compat.js';
export default mqtt;
