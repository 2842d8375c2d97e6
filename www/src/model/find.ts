// Whether a topic or a payload is what a reader looks for. Knows nothing of where they come from.

/** Whether a topic has this text in it, in whatever case; or matches it, where it is a Topic Filter with wildcards. */
export function matches(query: string, topic: string): boolean {
  if (query === '') return true;
  if (hasWildcards(query)) return matchesFilter(query, topic);
  return topic.toLowerCase().includes(query.toLowerCase());
}

/** Whether a payload has this text in it, in whatever case. All of the payload is looked at. */
export function contains(payload: Uint8Array, query: string): boolean {
  if (query === '') return true;
  return decoder.decode(payload).toLowerCase().includes(query.toLowerCase());
}

/** Whether a Topic Filter takes a topic [MQTT-4.7.1]. */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = filter.replace(SHARE, '').split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && !wanted[0]!.startsWith('$')) return false; // [MQTT-4.7.2-1]
  for (const [index, name] of wanted.entries()) {
    if (name === '#') return true;
    if (index >= levels.length || (name !== '+' && name !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}

/** Whether it is a Topic Filter that takes more than one topic. */
function hasWildcards(query: string): boolean {
  return query.split('/').some((level, index, all) => level === '+' || (level === '#' && index === all.length - 1));
}

const SHARE = /^\$share\/[^/]*\//;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
