// A signal that says "look again" at most once a frame, however often the plain structure behind it changes.

import { type ReadonlySignal, signal } from '@preact/signals';

/** The version of a structure that changes at any rate. */
export class FrameVersion {
  readonly #version = signal(0);
  #isDue = false;

  /** Changes at most once a frame: read it where the structure is shown. */
  get signal(): ReadonlySignal<number> {
    return this.#version;
  }

  /** The structure has changed. */
  bump(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    nextFrame(() => {
      this.#isDue = false;
      this.#version.value += 1;
    });
  }
}

/** Pages that are hidden draw no frames, and Node has none: there it is soon. */
function nextFrame(task: () => void): void {
  if (typeof requestAnimationFrame === 'function' && !document.hidden) requestAnimationFrame(task);
  else setTimeout(task, HIDDEN_FRAME);
}

/** Milliseconds. */
const HIDDEN_FRAME = 100;
