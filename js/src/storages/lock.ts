// That one broker at a time has a database, whichever tab it is in: a Web Lock, which the browser releases when the tab ends.

import { MqttError } from '../error.js';

/** A lock that is held. */
export interface Lock {
  /** Resolves when somebody else can have it. */
  release(): Promise<void>;
}

/**
 * The lock of the database of this name; `onstolen` is called when other code takes it away.
 * @throws MqttError `storage-in-use` or `storage-unavailable`.
 */
export async function lock(
  name: string,
  { wait, signal }: { wait: boolean; signal: AbortSignal | undefined },
  onstolen: () => void,
): Promise<Lock> {
  if (typeof navigator === 'undefined' || !navigator.locks) {
    throw unavailable(name);
  }
  const options = wait ? { ...(signal && { signal }) } : { ifAvailable: true };
  return new Promise((resolve, reject) => {
    let isHeld = false;
    const over = navigator.locks.request(`mqlite:${name}`, options, (held) => {
      if (!held) throw inUse(name);
      isHeld = true;
      return new Promise<void>((end) => {
        const release = () => {
          isHeld = false;
          end();
          return over.catch(() => {});
        };
        resolve({ release });
      });
    });
    over.catch((cause: unknown) => {
      if (isHeld) return onstolen();
      if (cause instanceof MqttError) reject(cause);
      else if (signal?.aborted) reject(inUse(name, cause));
      else reject(unavailable(name, cause));
    });
  });
}

function unavailable(name: string, cause?: unknown): MqttError {
  return new MqttError('storage-unavailable', `The database "${name}" cannot be locked here.`, {
    hint: 'The browser has locks for pages that come over HTTPS or from localhost, and not for frames in a sandbox.',
    cause,
  });
}

function inUse(name: string, cause?: unknown): MqttError {
  return new MqttError('storage-in-use', `Another broker has the database "${name}" open.`, {
    hint: 'It may be in another tab: use that one, or wait until it closes.',
    cause,
  });
}
