// Comparisons that take as long whatever is compared.

/** Whether two values are the same. Tells by its time no more than their lengths, which are no secret. */
export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.byteLength ^ other.byteLength;
  for (let index = 0; index < one.byteLength; index += 1) difference |= one[index]! ^ (other[index] ?? 0);
  return difference === 0;
}

/** Whether two texts are the same, which may be of any length. */
export async function isSameText(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([digest(one), digest(other)]);
  return isEqual(first, second);
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
