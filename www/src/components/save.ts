// Files and the clipboard. Knows nothing of what is in them.

/** Offers a file to be kept. */
export function save(name: string, parts: BlobPart[], type: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

/** A name that every file system takes, made of a topic. */
export function fileName(topic: string, ending: string): string {
  const name = topic.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '');
  return `${name.slice(0, 80) || 'message'}.${ending}`;
}

/** Puts text on the clipboard. Whether the browser let it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds that the browser has to begin with a file. */
const KEPT = 60_000;
