// `mqlite/compat`: the part of MQTT.js's interface that most applications use. Its default export is the one exception to the
// rule that there is none: `import mqtt from 'mqtt'` is what applications write, and only the name in quotes is to change.

import * as mqtt from './inlined/compat.js';

export * from './inlined/compat.js';
export default mqtt;
