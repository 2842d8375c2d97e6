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

/** The next frame after a pause, which leaves the page most of its time. Pages that are hidden draw none, nor does Node. */
function nextFrame(task: () => void): void {
  if (typeof requestAnimationFrame === 'function' && !document.hidden) setTimeout(() => requestAnimationFrame(task), PAUSE);
  else setTimeout(task, HIDDEN_FRAME);
}

/** Milliseconds: nobody reads what changes more often. */
const PAUSE = 30;
/** Milliseconds. */
const HIDDEN_FRAME = 100;
