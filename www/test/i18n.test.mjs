// The texts of both languages.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packets as enPackets } from '../src/i18n/en/packets.ts';
import { tourTexts as enTour } from '../src/i18n/en/tour-texts.ts';
import { en } from '../src/i18n/en.ts';
import { packets as zhPackets } from '../src/i18n/zh/packets.ts';
import { tourTexts as zhTour } from '../src/i18n/zh/tour-texts.ts';
import { zh } from '../src/i18n/zh.ts';

const english = texts({ ...en, packets: enPackets, tour: enTour });
const chinese = texts({ ...zh, packets: zhPackets, tour: zhTour });

describe('the texts', () => {
  test('are filled in with the same things in both languages', () => {
    for (const [key, text] of english) assert.deepEqual(places(new Map(chinese).get(key)), places(text), key);
  });

  test('in Chinese say one word for a server, and none for who reads', () => {
    for (const [key, text] of chinese) assert.doesNotMatch(text, /服务端|您|你/, key);
  });
});

/** Every text by its path. */
function texts(part, path = '') {
  return Object.entries(part).flatMap(([name, value]) => (typeof value === 'string' ? [[`${path}${name}`, value]] : texts(value, `${path}${name}.`)));
}

/** What stands in braces, each once. */
function places(text) {
  return [...new Set(Array.from(text.matchAll(/\{(\w+)[?}]/g), ([, name]) => name))].sort();
}
