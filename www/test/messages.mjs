// Messages for the tests of the models.

const encoder = new TextEncoder();

/** A message that was received at QoS 0; text becomes UTF-8. */
export function message(topic, payload = '', others = {}) {
  return {
    time: 0,
    direction: 'received',
    topic,
    payload: typeof payload === 'string' ? encoder.encode(payload) : Uint8Array.from(payload),
    qos: 0,
    retain: false,
    dup: false,
    packetIdentifier: undefined,
    properties: {},
    ...others,
  };
}

export function bytes(text) {
  return encoder.encode(text);
}
