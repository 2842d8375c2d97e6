// Payloads as text, paths into them, and messages as files.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode as cbor } from 'cbor2';
import { encode as messagePack } from '@msgpack/msgpack';
import { exported } from '../src/model/export.ts';
import { formatter, guess, preview } from '../src/model/formats.ts';
import { indented } from '../src/model/json-text.ts';
import { numberAt, numberPaths, parsePath, valueAt } from '../src/model/json-paths.ts';
import { Series } from '../src/model/series.ts';
import { bytes, message } from './messages.mjs';

const binary = Uint8Array.of(0xff, 0x00, 0x41);

describe('a format', () => {
  test('text is every letter, and says where bytes are none', async () => {
    assert.deepEqual(await show('text', bytes('\ufeffé<b>\n')), { format: 'text', text: '\ufeffé<b>\n', isWhole: true });
    assert.deepEqual(await show('text', binary), { format: 'text', text: '\ufffd\0A', isWhole: false });
  });

  test('JSON is indented, and no number, name or text is changed', async () => {
    const json = '{"a":12345678901234567890.10,"a":1e400,"b":[],"c":{},"d":[1,[2,{"e":"x\\"{,}\\u0041"}]], "f" : null}';
    const { text, format } = await show('json', bytes(json));
    assert.equal(format, 'json');
    assert.equal(
      text,
      `{
  "a": 12345678901234567890.10,
  "a": 1e400,
  "b": [],
  "c": {},
  "d": [
    1,
    [
      2,
      {
        "e": "x\\"{,}\\u0041"
      }
    ]
  ],
  "f": null
}`,
    );
  });

  test('JSON of one value, and nested very deeply, is shown too', async () => {
    assert.equal((await show('json', bytes(' -1.50 '))).text, '-1.50');
    const deep = '['.repeat(5_000) + ']'.repeat(5_000);
    const { text, format } = await show('json', bytes(deep));
    assert.equal(format, 'json');
    assert.equal(text.replace(/\s/g, ''), deep);
    assert.ok(text.length < 2_000_000);
  });

  test('JSON of one text, number or escape that is very long is shown too', async () => {
    for (const json of [`["${'x'.repeat(17_000_000)}"]`, '1'.repeat(17_000_000), `"${'\\n'.repeat(9_000_000)}"`]) {
      const { text, format } = await show('json', bytes(json));
      assert.equal(format, 'json');
      assert.ok(text.replace(/\n {2}|\n/g, '') === json);
    }
  });

  test('JSON that would be too long with its indents stays as it is', () => {
    assert.equal(indented('[1,[2]]', 10), '[1,[2]]');
    assert.equal(indented('[1,[2]]', 24), '[\n  1,\n  [\n    2\n  ]\n]');
  });

  test('what is no JSON stays text, or hex where it is none', async () => {
    assert.deepEqual(await show('json', bytes('{"a":')), { format: 'text', text: '{"a":', isWhole: true, refused: 'json' });
    assert.deepEqual(await show('json', binary), {
      format: 'hex',
      text: `00000000  ${'ff 00 41'.padEnd(48)} ..A`,
      isWhole: true,
      refused: 'json',
    });
  });

  test('hex and Base64 hold every byte', async () => {
    const all = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    const rows = (await show('hex', all)).text.split('\n');
    assert.equal(rows.length, 6_250);
    assert.equal(rows[4], '00000040  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO');
    assert.equal(rows.map((row) => row.slice(10, 58).replaceAll(' ', '')).join(''), Buffer.from(all).toString('hex'));
    assert.equal((await show('base64', all)).text, Buffer.from(all).toString('base64'));
  });

  test('CBOR is in diagnostic notation, with tags, bytes and names that are numbers', async () => {
    const { text, format } = await show('cbor', cbor(new Map([['t', 21.5], [1, Uint8Array.of(1, 255)], ['when', new Date(0)]])));
    assert.equal(format, 'cbor');
    assert.equal(text.replace(/\s+/g, ' '), `{ "t": 21.5, 1: h'01ff', "when": 1( 0) }`);
  });

  test('MessagePack is in the same notation, with 64 bits, bytes and extension types', async () => {
    const { text, format } = await show('messagepack', messagePack({ t: 21.5, n: 2n ** 63n, b: Uint8Array.of(1, 255), at: new Date(1_000) }, { useBigInt64: true }));
    assert.equal(format, 'messagepack');
    assert.equal(text, `{\n  "t": 21.5,\n  "n": 9223372036854775808,\n  "b": h'01ff',\n  "at": -1(h'00000001')\n}`);
  });

  test('what is no CBOR or MessagePack, or would lose a name, is hex', async () => {
    for (const [format, payload] of [
      ['cbor', [0x01, 0x02]],
      ['cbor', [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
      ['cbor', new Uint8Array(100_000).fill(0x81)],
      ['messagepack', [0xc1]],
      ['messagepack', [0xdd, 0xff, 0xff, 0xff, 0xff]],
      ['messagepack', [0x82, 0xa1, 0x61, 0x01, 0xa1, 0x61, 0x02]],
      ['messagepack', new Uint8Array(100_000).fill(0x91)],
    ]) {
      const shown = await show(format, Uint8Array.from(payload));
      assert.deepEqual([shown.format, shown.refused, shown.isWhole], ['hex', format, true], `${format} ${payload.slice(0, 8)}`);
    }
  });

  test('is guessed by the Content Type, else by the bytes', () => {
    assert.equal(guess(bytes('x'), 'application/vnd.api+json'), 'json');
    assert.equal(guess(bytes('x'), 'application/cbor'), 'cbor');
    assert.equal(guess(bytes('x'), 'application/vnd.msgpack'), 'messagepack');
    assert.equal(guess(bytes('23.5')), 'json');
    assert.equal(guess(bytes('{"a":1}')), 'json');
    assert.equal(guess(bytes('{a}')), 'text');
    assert.equal(guess(bytes('true story')), 'text');
    assert.equal(guess(bytes('')), 'text');
    assert.equal(guess(cbor({ temperature: 1 })), 'cbor');
    assert.equal(guess(messagePack({ temperature: 1 })), 'messagepack');
    assert.equal(guess(binary), 'hex');
  });

  test('a preview is one line, and says how many bytes it does not show', () => {
    assert.deepEqual(preview(bytes('a\nb\t\u202e')), { text: 'a␊b␉\ufffd', rest: 0 });
    assert.deepEqual(preview(bytes('é'.repeat(10)), 5), { text: 'éé', rest: 15 });
    assert.deepEqual(preview(bytes('x'.repeat(1_000)), 160), { text: 'x'.repeat(160), rest: 840 });
    assert.deepEqual(preview(binary), { text: 'ff 00 41', rest: 0 });
    assert.deepEqual(preview(new Uint8Array(100).fill(0xff), 40), { text: Array(10).fill('ff').join(' '), rest: 90 });
  });
});

describe('a path', () => {
  const value = { a: 1, 'odd name': { on: true }, list: [{ x: 2 }, 'three', 4], none: null, text: '5' };

  test('leads to every number, and to true and false', () => {
    assert.deepEqual(numberPaths(value), ['$.a', '$["odd name"].on', '$.list[0].x', '$.list[2]']);
    assert.deepEqual(numberPaths(23.5), ['$']);
    assert.deepEqual(numberPaths('23.5'), []);
    assert.equal(numberPaths(Array(1_000).fill(0)).length, 200);
  });

  test('that was listed is read again, and finds its number', () => {
    assert.deepEqual(
      numberPaths(value).map((path) => numberAt(value, parsePath(path))),
      [1, 1, 2, 4],
    );
  });

  test('is read in every form, and refused when it is none', () => {
    assert.deepEqual(parsePath(` $.a[0]['b c']["d\\"e"].f-g `), ['a', 0, 'b c', 'd"e', 'f-g']);
    assert.deepEqual(parsePath('$'), []);
    for (const path of ['', 'a', '$a', '$.', '$..a', '$[', '$[a]', '$[*]', '$.a b']) assert.equal(parsePath(path), null, path);
  });

  test('finds only what a value has itself', () => {
    for (const path of ['$.constructor', '$.__proto__', '$.list.length', '$.text[0]', '$.none.x']) {
      assert.equal(valueAt(value, parsePath(path)), undefined, path);
    }
    assert.equal(valueAt(new Map([['a', new Map([[1, 'x']])]]), ['a', 1]), 'x');
  });

  test('makes a series of a history, and counts what has no number', async () => {
    const history = [message('t', '{"v":1}', { time: 1_000 }), message('t', 'x', { time: 2_000 }), message('t', '{"v":-2.5}', { time: 3_000 })];
    const series = new Series(['v'], await formatter('json'));
    assert.deepEqual(series.points(history, 1_000), { times: [1, 3], values: [1, -2.5], without: 1, isWhole: true });
  });

  test('a series reads a part at a time, the latest first', async () => {
    const history = Array.from({ length: 100 }, (_, index) => message('t', String(index), { time: index * 1_000 }));
    const series = new Series([], await formatter('json'));
    const first = series.points(history, -1);
    assert.equal(first.isWhole, false);
    assert.equal(first.values.at(-1), 99);
    let points = first;
    while (!points.isWhole) points = series.points(history, -1);
    assert.deepEqual(points.values, Array.from({ length: 100 }, (_, index) => index));
  });
});

describe('an export', () => {
  const messages = [
    message('a,b', 'line "1"\nline 2', { time: 1_500, qos: 1, packetIdentifier: 7, properties: { contentType: 'text/plain', correlationData: binary } }),
    message('=cmd', '-5', { direction: 'sent', retain: true }),
    message('c', '=HYPERLINK("x")'),
    message('d', [0xff]),
  ];

  test('as CSV quotes what must be, holds every payload, and runs no formula', () => {
    assert.deepEqual([...exported(messages, 'csv')].join('').split('\r\n'), [
      'time,direction,topic,qos,retain,dup,packetIdentifier,encoding,payload,properties',
      '1970-01-01T00:00:01.500Z,received,"a,b",1,false,false,7,text,"line ""1""\nline 2","{""contentType"":""text/plain"",""correlationData"":""/wBB""}"',
      "1970-01-01T00:00:00.000Z,sent,'=cmd,0,true,false,,text,-5,",
      `1970-01-01T00:00:00.000Z,received,c,0,false,false,,escaped text,"'=HYPERLINK(""x"")",`,
      '1970-01-01T00:00:00.000Z,received,d,0,false,false,,hex,ff,',
      '',
    ]);
  });

  test('as CSV tells every payload from every other', () => {
    const payloads = ['=1+2', "'=1+2", "''=1+2", '+', "'+", '-5', "'-5", 'f8 41', [0xf8, 0x41], [0xf8], [0xfb, 0xff, 0xfe]];
    const rows = [...exported(payloads.map((payload) => message('t', payload)), 'csv')].join('').trimEnd().split('\r\n').slice(1);
    assert.equal(new Set(rows).size, payloads.length);
    const cells = rows.map((row) => row.split(',').slice(7, 9));
    assert.deepEqual(cells.map(([encoding, cell]) => READERS[encoding](cell)), payloads.map((payload) => Buffer.from(payload)));
    for (const [, cell] of cells) assert.match(cell, /^[^=+@-]|^-5$/);
  });

  test('as NDJSON is one object a line, exactly what came', () => {
    const lines = [...exported(messages, 'ndjson')].join('').trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(lines[0], {
      time: '1970-01-01T00:00:01.500Z',
      direction: 'received',
      topic: 'a,b',
      payload: 'line "1"\nline 2',
      qos: 1,
      retain: false,
      dup: false,
      packetIdentifier: 7,
      contentType: 'text/plain',
      correlationData: '/wBB',
    });
    assert.equal(lines[2].payload, '=HYPERLINK("x")');
    assert.equal(lines[3].payloadBase64, '/w==');
    assert.equal(lines.length, 4);
  });

  test('comes in parts, and is all of it', () => {
    const many = Array.from({ length: 1_234 }, (_, index) => message(String(index)));
    const parts = [...exported(many, 'ndjson')];
    assert.equal(parts.length, 3);
    assert.equal(parts.join('').trimEnd().split('\n').length, 1_234);
    assert.deepEqual([...exported([], 'ndjson')], []);
  });
});

/** The bytes of a payload's cell, by what its row says of it. */
const READERS = {
  text: (cell) => Buffer.from(cell),
  'escaped text': (cell) => Buffer.from(cell.slice(1)),
  hex: (cell) => Buffer.from(cell.replaceAll(' ', ''), 'hex'),
};

async function show(format, payload) {
  return (await formatter(format)).show(payload);
}
