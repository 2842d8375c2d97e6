// Packets taken apart: the vectors that all codecs share, what fuzzing found, and what the fields of each packet are.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { decodePacket, fieldAt } from '../src/model/packet-fields.ts';
import { RULES, ruleId } from '../src/model/packet-rules.ts';
import { connectVersion } from '../src/model/packet-summary.ts';

const tests = new URL('../../tests/', import.meta.url);
const files = readdirSync(new URL('vectors/', tests)).filter((name) => name.endsWith('.json') && name !== 'access.json');

describe('the vectors', () => {
  for (const file of files) {
    test(`${file}: a packet has no fault, and what is none has one`, () => {
      const vectors = JSON.parse(readFileSync(new URL(`vectors/${file}`, tests), 'utf8'));
      for (const { name, version, hex, packet, error } of vectors) {
        if (error === '0x95') continue; // a limit of who receives it
        const bytes = fromHex(hex);
        const decoded = decodePacket(bytes, version === '5' ? 5 : 4);
        mustBeInPlace(decoded, bytes, name);
        const found = faults(decoded.fields).filter((fault) => error || !OF_TOPICS.includes(fault.split(': ')[1]));
        assert.equal(found.length > 0, error !== undefined, `${name} (${version}): ${found}`);
        assert.equal(decoded.hasFault, faults(decoded.fields).length > 0, name);
        if (packet) assert.equal(decoded.name, packet.type, name);
        if (packet?.type === 'CONNECT') assert.equal(decoded.version, packet.version === '5' ? 5 : 4, name);
      }
    });
  }

  test('show every field that their packets have', () => {
    for (const { version, hex, packet, name } of vectorsOf('connect.json', 'publish.json', 'disconnect.json', 'auth.json', 'connack.json')) {
      if (!packet) continue;
      const { fields } = decodePacket(fromHex(hex), version === '5' ? 5 : 4);
      for (const [section, properties] of [['Properties', packet.properties], ['Will Properties', packet.will?.properties]]) {
        const shown = fields.find((field) => field.name === section)?.fields.slice(1) ?? [];
        const wanted = Object.entries(properties ?? {}).flatMap(([key, value]) => {
          const word = squeezed(key.replace(/Properties$/, 'Property').replace(/^subscriptionIdentifiers$/, 'subscriptionIdentifier'));
          return Array.isArray(value) ? value.map(() => word) : [word];
        });
        assert.deepEqual(shown.map((field) => squeezed(field.name)).sort(), wanted.sort(), name);
      }
    }
  });
});

describe('bytes of any kind', () => {
  test('that fuzzing found are fields, in both versions', () => {
    const corpus = new URL('fuzz/corpus/', tests);
    let count = 0;
    for (const folder of readdirSync(corpus)) {
      for (const file of readdirSync(new URL(`${folder}/`, corpus))) {
        const bytes = new Uint8Array(readFileSync(new URL(`${folder}/${file}`, corpus)));
        for (const version of [4, 5]) mustBeInPlace(decodePacket(bytes, version), bytes, `${folder}/${file}`);
        count += 1;
      }
    }
    assert.ok(count > 1_000, `only ${count} files`);
  });

  test('of a packet that ends anywhere, or has a byte changed, are fields', () => {
    let seed = 1;
    const random = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (const { version, hex, name } of vectorsOf('connect.json', 'publish.json', 'subscribe.json', 'connack.json', 'unsubscribe.json', 'auth.json')) {
      const bytes = fromHex(hex);
      for (let end = 0; end < bytes.length; end += 1) {
        const part = bytes.subarray(0, end);
        mustBeInPlace(decodePacket(part, version === '5' ? 5 : 4), part, name);
      }
      for (let round = 0; round < 50; round += 1) {
        const other = bytes.slice();
        if (other.length > 0) other[random(other.length)] = random(256);
        mustBeInPlace(decodePacket(other, version === '5' ? 5 : 4), other, name);
      }
    }
  });

  test('of which only the first are here have no fault for that', () => {
    const bytes = fromHex('300d 0003 612f62 00 68656c6c6f212121'.replaceAll(' ', ''));
    const decoded = decodePacket(bytes.subarray(0, 10), 5, 15);
    assert.equal(decoded.hasFault, false);
    assert.equal(decoded.fields.at(-1).note, 'cutOff');
    assert.equal(decodePacket(bytes.subarray(0, 10), 5).hasFault, true);
  });
});

describe('a packet', () => {
  test('is a tree of fields with their bytes and rules', () => {
    const { name, fields } = decodePacket(fromHex('3d0f 0003612f62 0007 0523000c 0101 6869'), 5);
    assert.equal(name, 'PUBLISH');
    assert.deepEqual(outline(fields).slice(0, 9), [
      'Fixed Header 0-1 PUBLISH',
      ' MQTT Control Packet type 0-1 3 PUBLISH [MQTT-3.3.4-1]',
      ' DUP 0-1 1 [MQTT-3.3.1-1]',
      ' QoS 0-1 2 [MQTT-3.3.1-4]',
      ' RETAIN 0-1 1 [MQTT-3.3.1-5]',
      'Remaining Length 1-2 15',
      'Topic Name 2-7 "a/b" [MQTT-3.3.2-1]',
      'Packet Identifier 7-9 7 [MQTT-2.2.1-3]',
      'Properties 9-15 2',
    ]);
  });

  test('shows a property with its identifier and its value', () => {
    const { fields } = decodePacket(fromHex('e00b 04 09 26 0001 61 0003 624063'), 5);
    assert.deepEqual(outline(fields).slice(-5), [
      ' Property Length 3-4 9 [MQTT-2.2.2-1]',
      ' User Property 4-13 "a" = "b@c"',
      '  Identifier 4-5 0x26',
      '  Name 5-8 "a" [MQTT-1.5.7-1]',
      '  Value 8-13 "b@c" [MQTT-1.5.7-1]',
    ]);
  });

  test('says what is wrong with a Topic Filter', () => {
    const { fields } = decodePacket(fromHex(filters), 5);
    assert.deepEqual(faults(fields), ['Topic Filter: badFilter', 'Topic Filter: badFilter', 'No Local: noLocalShared']);
  });

  test('finds the smallest field of a byte', () => {
    const { fields } = decodePacket(fromHex('e00b 04 09 26 0001 61 0003 624063'), 5);
    const names = Array.from({ length: 14 }, (_, at) => fieldAt(fields, at)?.name);
    assert.deepEqual(names, [
      'Fixed Header', 'Remaining Length', 'Disconnect Reason Code', 'Property Length', 'Identifier',
      'Name', 'Name', 'Name', 'Value', 'Value', 'Value', 'Value', 'Value', undefined,
    ]);
  });

  test('marks what nobody should read over a shoulder', () => {
    const { fields } = decodePacket(fromHex('1019 00044d515454 05 c2 003c 00 000161 000175 0006736563726574'), 5);
    assert.deepEqual(flatten(fields).filter((field) => field.isSecret).map((field) => field.name), ['Password']);
    const auth = decodePacket(fromHex('f00a 18 08 15 0001 6d 16 0001 64'), 5);
    assert.deepEqual(flatten(auth.fields).filter((field) => field.isSecret).map((field) => field.name), ['Authentication Data', 'Value']);
  });

  test('shows text that would not be seen, or would turn its surroundings around, as what it is', () => {
    const { fields } = decodePacket(fromHex('3009 0001 61 00 e280ae 0a 7f'), 5);
    assert.equal(fields.at(-1).value, '"\\u{202e}\\n\\u{7f}"');
  });

  test('says that a long value is shown in part', () => {
    const payload = new Uint8Array(1_000).fill(0x61);
    const { fields } = decodePacket(Uint8Array.from([0x30, 0xec, 0x07, 0, 1, 0x61, 0, ...payload]), 5);
    assert.equal(fields.at(-1).note, 'shortened');
    assert.equal(fields.at(-1).end - fields.at(-1).start, 1_000);
  });

  test('names its own version in a CONNECT', () => {
    assert.equal(connectVersion(fromHex('100d 00044d515454 04 02 003c 000161')), 4);
    assert.equal(connectVersion(fromHex('1002 0004')), undefined);
    assert.equal(connectVersion(new Uint8Array()), undefined);
  });
});

describe('the rules', () => {
  test('are each told of some field', () => {
    const told = new Set();
    const subscribe = { version: '5', hex: filters };
    for (const { version, hex } of [...vectorsOf(...files), subscribe]) {
      for (const { rule } of flatten(decodePacket(fromHex(hex), version === '5' ? 5 : 4).fields)) told.add(rule);
    }
    const untold = Object.keys(RULES).filter((rule) => !told.has(rule));
    assert.deepEqual(untold, []);
  });

  test('are statements of MQTT 5.0', () => {
    const text = readFileSync(new URL('spec/statements.txt', tests), 'utf8');
    const known = new Set(text.split('\n').map((line) => line.split(' ')[0]));
    for (const rule of Object.keys(RULES)) {
      const id = ruleId(rule, 5);
      assert.ok(id === undefined ? ruleId(rule, 4) : known.has(id), `${rule}: ${id}`);
    }
  });
});

/** A SUBSCRIBE to `a#`, `+a`, `+/#` and, without what is local, `$share/n/a`. */
const filters = '8220 0001 00 0002 6123 00 0002 2b61 00 0003 2b2f23 00 000a 2473686172652f6e2f61 04';

/** What is wrong with topics, which the codecs leave to others. */
const OF_TOPICS = ['wildcard', 'badFilter', 'emptyTopic'];

/** Top fields follow each other and cover the bytes; the parts of one lie in it. */
function mustBeInPlace({ fields }, bytes, name) {
  let at = 0;
  for (const field of fields) {
    assert.equal(field.start, at, `${name}: ${field.name}`);
    at = field.end;
  }
  assert.equal(at, bytes.length, name);
  const within = ({ start, end, fields: parts = [] }) => {
    assert.ok(start <= end);
    for (const part of parts) {
      assert.ok(part.start >= start && part.end <= end, `${name}: ${part.name}`);
      within(part);
    }
  };
  fields.forEach(within);
}

function vectorsOf(...files) {
  return files.flatMap((file) => JSON.parse(readFileSync(new URL(`vectors/${file}`, tests), 'utf8')));
}

function flatten(fields) {
  return fields.flatMap((field) => [field, ...flatten(field.fields ?? [])]);
}

function faults(fields) {
  return flatten(fields).flatMap(({ name, fault }) => (fault ? [`${name}: ${fault}`] : []));
}

function outline(fields, depth = 0) {
  return fields.flatMap((field) => [
    `${' '.repeat(depth)}${field.name} ${field.start}-${field.end} ${field.value}${field.rule ? ` [${ruleId(field.rule, 5)}]` : ''}`,
    ...outline(field.fields ?? [], depth + 1),
  ]);
}

function squeezed(text) {
  return text.replaceAll(' ', '').toLowerCase();
}

function fromHex(text) {
  return Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
