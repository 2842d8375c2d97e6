// Reads Server-Sent Events as the WHATWG describes them, one after the other.

/** The events of a body. `comments` counts what is no event; `close()` leaves it unread. */
export class EventStream {
  comments = 0;
  /** Of the last event that had one. */
  lastEventId = '';
  #reader;
  #decoder = new TextDecoder();
  #buffer = '';
  #events = [];
  #isOver = false;

  constructor(body) {
    this.#reader = body.getReader();
  }

  /** The next event: `{ id, event, data }`, `undefined` at the end. */
  async next() {
    while (this.#events.length === 0 && !this.#isOver) await this.#read();
    const event = this.#events.shift();
    if (event?.id !== undefined) this.lastEventId = event.id;
    return event;
  }

  /** So many events. */
  async take(count) {
    const events = [];
    while (events.length < count) {
      const event = await this.next();
      if (!event) throw new Error(`The stream ended after ${events.length} of ${count} events.`);
      events.push(event);
    }
    return events;
  }

  /** The payloads of so many messages. */
  async payloads(count) {
    const events = await this.take(count);
    return events.map(({ event, data }) => (event === 'message' ? JSON.parse(data).payload : event));
  }

  close() {
    this.#isOver = true;
    return this.#reader.cancel().catch(() => {});
  }

  async #read() {
    const { value, done } = await this.#reader.read().catch(() => ({ done: true }));
    if (done) return (this.#isOver = true);
    this.#buffer += this.#decoder.decode(value, { stream: true });
    const blocks = this.#buffer.split('\n\n');
    this.#buffer = blocks.pop();
    for (const block of blocks) this.#parse(block);
  }

  #parse(block) {
    const event = { id: undefined, event: 'message', data: undefined };
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments += 1;
      const [, field, value] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
      if (field === 'data') event.data = event.data === undefined ? value : `${event.data}\n${value}`;
      else if (field === 'id' || field === 'event') event[field] = value;
    }
    if (event.data !== undefined) this.#events.push(event);
  }
}
