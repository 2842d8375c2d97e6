// What a packet is called: every vector of tests/vectors in its line of packets.txt, which `UPDATE=1` writes, and what a line never shows.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { source } from './support.mjs';

const { describePacket } = await source('packets.ts');
const { Splitter } = await source('splitter.ts');

const folder = new URL('../../tests/vectors/', import.meta.url);
// What is in access.json is no packets.
const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'access.json').sort();
const vectors = files.flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')));

const describeReason = (reason) => `0x${reason.toString(16).padStart(2, '0')}`;
const toBytes = (hex) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const describe = (hex, version = 5) => describePacket(toBytes(hex), { version, describeReason });
const text = (hex, version) => describe(hex, version).text;

test('Each vector is described as packets.txt says', () => {
  const lines = vectors.map(({ name, version, hex }) => `${name} (${version})\n  ${text(hex, version === '5' ? 5 : 4)}\n`).join('');
  const golden = new URL('packets.txt', import.meta.url);
  if (process.env.UPDATE) writeFileSync(golden, lines);
  assert.equal(lines, readFileSync(golden, 'utf8'));
});

test('A description tells what belongs to the packet, for programs', () => {
  const { type, topic, identifier } = describe('320a 0003612f62 0001 00 6869');
  assert.deepEqual({ type, topic, identifier }, { type: 'PUBLISH', topic: 'a/b', identifier: 1 });
  const { version, clientId } = describe('100d 00044d515454 04 02 003c 000161');
  assert.deepEqual({ version, clientId }, { version: 4, clientId: 'a' });
  assert.equal(describe('2009 00 00 06 12 0003 616263').clientId, 'abc');
});

test('A topic is named where its alias stands for it, if that is known', () => {
  const aliases = new Map();
  const text = (hex) => describePacket(toBytes(hex), { version: 5, describeReason, aliases }).text;
  assert.equal(text('3007 0000 03 230001 78'), 'PUBLISH "", QoS 0, "x" {topicAlias: 1}');
  assert.equal(text('3008 0001 74 03 230001 78'), 'PUBLISH "t", QoS 0, "x" {topicAlias: 1}');
  assert.equal(text('3007 0000 03 230001 79'), 'PUBLISH "t" (by its alias), QoS 0, "y" {topicAlias: 1}');
});

test('Secrets are never shown, nor what may be one', () => {
  const connect = (flags, ...fields) => {
    const body = `00044d51545405${flags}003c00000161${fields.map((field) => length(field) + hex(field)).join('')}`;
    return text(`10${(body.length / 2).toString(16).padStart(2, '0')}${body}`);
  };
  assert.match(connect('c2', 'alice', 'hunter2'), /user name "alice", password \(7 bytes\)$/);
  assert.match(connect('82', 'a-token'), /user name \(7 bytes\)$/, 'a user name alone may be a token');
  assert.match(connect('c2', 'x'.repeat(33), 'p'), /user name \(33 bytes\), password \(1 byte\)$/);
  const secret = hex('tiger');
  const lines = [
    connect('c2', 'alice', 'tiger'),
    text(`f00c 18 0a 15 00014d 16 0005 ${secret}`),
    text(`200f 00 00 0c 15 00014d 16 0005 ${secret}`),
    text(`101a 00044d515454 05 c2 003c 00 000161 0001 62 ffff ${secret}`),
  ];
  for (const line of lines) assert.doesNotMatch(line, /tiger|7469676572/);
  assert.match(lines[3], /malformed/);
});

test('A line stays one short line, whatever is in the packet', () => {
  const publish = (topic, payload) => {
    const body = [...length(topic), ...hex(topic)].join('') + '00' + hex(payload);
    return text(`30${variable(body.length / 2)}${body}`);
  };
  assert.equal(publish('a\nb', 'one\r\ntwo'), 'PUBLISH "a\\nb", QoS 0, "one\\r\\ntwo"');
  assert.equal(publish('\u202eabc\u2028', 'ok'), 'PUBLISH "\\u{202e}abc\\u{2028}", QoS 0, "ok"');
  assert.equal(publish('t', 'é'.repeat(70)), `PUBLISH "t", QoS 0, "${'é'.repeat(64)}"… (140 bytes)`);
  assert.equal(publish('t', '😀'.repeat(1000)), `PUBLISH "t", QoS 0, "${'😀'.repeat(64)}"… (4000 bytes)`);
  assert.equal(publish('t'.repeat(65), ''), `PUBLISH "${'t'.repeat(64)}"… (65 characters), QoS 0, (empty)`);
  assert.equal(text(`3015 0001 74 00 ${'ff'.repeat(17)}`), `PUBLISH "t", QoS 0, 0x${'ff'.repeat(16)}… (17 bytes)`);
  const filters = '000161 00'.repeat(1000);
  assert.equal(text(`82${variable(4003)} 000a 00 ${filters}`), `SUBSCRIBE #10 ${'"a" QoS 0, '.repeat(16)}… (984 more)`);
});

test('A stream is split into the same packets however it is cut', () => {
  const stream = ['c000', '320a 0003612f62 0001 00 6869', `30${variable(300)}000174${'61'.repeat(297)}`, 'd000', 'e001 8e'].map(toBytes);
  const whole = Buffer.concat(stream);
  for (let size = 1; size <= whole.length; size += 1) {
    const heard = [];
    const splitter = new Splitter();
    for (let at = 0; at < whole.length; at += size) {
      splitter.split(whole.subarray(at, at + size), (bytes, length) => {
        assert.equal(bytes.length, length);
        heard.push(Buffer.from(bytes).toString('hex'));
      });
    }
    assert.deepEqual(heard, stream.map((bytes) => Buffer.from(bytes).toString('hex')), `in pieces of ${size}`);
  }
});

test('A splitter keeps no more of a packet than it may, and goes on behind it', () => {
  for (const size of [1, 7, 1000]) {
    const heard = [];
    const splitter = new Splitter(10);
    const whole = toBytes(`30${variable(300)}000174${'61'.repeat(297)} c000`);
    for (let at = 0; at < whole.length; at += size) {
      splitter.split(whole.subarray(at, at + size), (bytes, length) => {
        heard.push(describePacket(bytes, { version: 4, describeReason, length }).text, bytes.length);
      });
    }
    assert.deepEqual(heard, ['PUBLISH "t", QoS 0, "aaaa"… (297 bytes)', 10, 'PINGREQ', 2]);
  }
});

test('Who comes in the middle of a packet hears of the next one first', () => {
  const heard = [];
  const splitter = new Splitter();
  splitter.split(toBytes('c000 300700036162'));
  splitter.split(toBytes('63 6869'), (bytes) => heard.push(bytes));
  splitter.split(toBytes('d000'), (bytes) => heard.push(bytes));
  assert.deepEqual(heard, [toBytes('d000')]);
});

test('Behind a length that is none there are no packets any more', () => {
  const heard = [];
  const splitter = new Splitter();
  for (const hex of ['c000', '30ffff', 'ffff01', 'c000']) splitter.split(toBytes(hex), (bytes) => heard.push(text(Buffer.from(bytes).toString('hex'))));
  assert.deepEqual(heard, ['PINGREQ', 'PUBLISH malformed, 5 bytes']);
});

function hex(value) {
  return Buffer.from(value).toString('hex');
}

function length(field) {
  return Buffer.byteLength(field).toString(16).padStart(4, '0');
}

function variable(number) {
  return number < 128 ? number.toString(16).padStart(2, '0') : ((number % 128) + 128).toString(16) + variable(Math.floor(number / 128));
}
