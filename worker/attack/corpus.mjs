// Packets that nobody should send: what fuzzing has found, and changes of it that are the same each time. Knows no socket.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { length } from './packets.mjs';

/**
 * `count` packets, at most `largest` bytes each. `isFramed` tells of each whether its Remaining Length is right, so that what
 * comes behind it is another packet; the others begin a packet that never ends, or end one too early.
 */
export async function malformedPackets(count, { seed = 1, largest = 2_000 } = {}) {
  const inputs = await corpus();
  const next = random(seed);
  const pick = (list) => list[next() % list.length];
  const packets = [];
  for (let number = 0; packets.length < count; number += 1) {
    const input = number < inputs.length ? inputs[number] : changed(pick(inputs), next, pick(inputs));
    const bytes = input.subarray(0, largest);
    if (bytes.length === 0) continue;
    // Of four, three are framed: behind a broken frame nothing more is looked into.
    const isFramed = number % 4 !== 3;
    packets.push({ isFramed, bytes: isFramed ? framed(bytes) : bytes });
  }
  return packets;
}

async function corpus() {
  const inputs = [];
  for (const folder of FOLDERS) {
    const names = (await readdir(join(CORPUS, folder))).sort();
    for (const name of names) inputs.push(await readFile(join(CORPUS, folder, name)));
  }
  return inputs;
}

/** The input with one to four changes: a bit, a byte, a piece left out, a piece twice, or its end from another input. */
function changed(input, next, other) {
  let bytes = Buffer.from(input);
  for (let changes = 1 + (next() % 4); changes > 0 && bytes.length > 0; changes -= 1) {
    const at = next() % bytes.length;
    const end = Math.min(bytes.length, at + 1 + (next() % 8));
    switch (next() % 5) {
      case 0:
        bytes[at] ^= 1 << (next() % 8);
        break;
      case 1:
        bytes[at] = INTERESTING[next() % INTERESTING.length];
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(next() % (other.length + 1))]);
    }
  }
  return bytes;
}

/** The first byte, the right Remaining Length, and what follows. */
const framed = (bytes) => Buffer.concat([bytes.subarray(0, 1), length(bytes.length - 1), bytes.subarray(1)]);

/** Mulberry32: numbers of 32 bits. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const CORPUS = fileURLToPath(new URL('../../tests/fuzz/corpus', import.meta.url));
/** Those whose inputs are packets, or close to it. */
const FOLDERS = ['decode', 'frame', 'topic', 'broker', 'client'];
const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x10, 0x23, 0x2b, 0x2f, 0xc0, 0xed];
