// What one subscriber of the internet has: an address, or many.

/** Of IPv6 the first half: whoever has one address there has all that begin so. */
export function networkOf(address: string | undefined): string | undefined {
  if (!address?.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0');
  return [...groups, ...zeros, ...rest].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
