// Publications as they are typed, kept and repeated.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePayload } from '../src/model/payload-input.ts';
import { newPublicationDraft, readPublicationDraft, toPublication } from '../src/model/publication-draft.ts';
import { Repetition } from '../src/model/repetition.ts';
import { memoryStore } from '../src/model/store.ts';
import { Templates } from '../src/model/templates.ts';
import { bytes } from './messages.mjs';

const circumstances = { count: 0, now: 0, random: () => 0 };

describe('a payload that is typed', () => {
  test('is text in UTF-8, and JSON as it was typed', () => {
    assert.deepEqual(parsePayload('ü\n', 'text'), { bytes: bytes('ü\n') });
    assert.deepEqual(parsePayload(' {"a" : 1.0} ', 'json'), { bytes: bytes(' {"a" : 1.0} ') });
    assert.equal(parsePayload('{a: 1}', 'json').fault, 'json');
    assert.equal(parsePayload('', 'json').fault, 'json');
  });

  test('is hexadecimal digits in all the ways in which they are written', () => {
    for (const text of ['00ff61', '00 FF 61', '0x00, 0xff, 0x61', '00:ff-61\n']) assert.deepEqual(parsePayload(text, 'hex'), { bytes: Uint8Array.of(0, 255, 0x61) });
    assert.deepEqual(parsePayload('', 'hex'), { bytes: new Uint8Array() });
    assert.deepEqual(parsePayload('00 f', 'hex'), { fault: 'hexOdd', detail: 'f' });
    assert.deepEqual(parsePayload('00 😀', 'hex'), { fault: 'hexDigit', detail: '😀' });
  });

  test('is Base64 of both alphabets', () => {
    for (const text of ['/+8=', '_-8', '/+\n8']) assert.deepEqual(parsePayload(text, 'base64'), { bytes: Uint8Array.of(0xff, 0xef) });
    assert.equal(parsePayload('a', 'base64').fault, 'base64');
    assert.deepEqual(parsePayload('ab*d', 'base64'), { fault: 'base64', detail: '*' });
  });
});

describe('the draft of a publication', () => {
  const full = newPublicationDraft({
    topic: 'a',
    payload: 'x',
    qos: 2,
    retain: true,
    contentType: 't',
    messageExpiryInterval: 0,
    payloadFormatIndicator: true,
    responseTopic: 'r',
    correlationData: 'c',
    userProperties: [['n', 'v']],
  });

  test('says what is set, and nothing of MQTT 5 to MQTT 3.1.1', () => {
    const plain = { topic: 'a', payload: bytes('x'), qos: 2, retain: true };
    assert.deepEqual(toPublication(full, false, circumstances), { publication: plain });
    assert.deepEqual(toPublication(full, true, circumstances).publication, {
      ...plain,
      properties: { payloadFormatIndicator: true, messageExpiryInterval: 0, contentType: 't', responseTopic: 'r', correlationData: bytes('c'), userProperties: [['n', 'v']] },
    });
    assert.deepEqual(toPublication({ ...full, userProperties: [['', ''], ['', 'v']] }, true, circumstances).publication.properties.userProperties, [['', 'v']]);
    assert.deepEqual(toPublication(newPublicationDraft({ topic: 'a' }), true, circumstances), { publication: { topic: 'a', payload: bytes(''), qos: 0, retain: false } });
  });

  test('is filled in before it is read as JSON or bytes', () => {
    const made = (known) => toPublication(newPublicationDraft({ topic: 't/{{counter 7}}', ...known }), true, circumstances);
    assert.deepEqual(made({ payload: '{"n":{{counter}}}', format: 'json' }).publication.payload, bytes('{"n":1}'));
    assert.equal(made({}).publication.topic, 't/7');
    assert.deepEqual(made({ payload: '{{pick 0f}}', format: 'hex' }).publication.payload, Uint8Array.of(15));
    assert.equal(made({ isFilled: false }).publication.topic, 't/{{counter 7}}');
    assert.deepEqual(made({ topic: '{{x}}', payload: '{' , format: 'json' }).faults.topic, { fault: 'unknown', place: '{{x}}' });
  });

  test('is not published with what is wrong', () => {
    const faults = (known) => toPublication({ ...full, ...known }, true, circumstances).faults;
    assert.deepEqual(faults({ topic: '' }), { topic: 'empty' });
    assert.deepEqual(faults({ topic: 'a/+' }), { topic: 'wildcardInTopic' });
    assert.deepEqual(faults({ responseTopic: '#' }), { responseTopic: 'wildcardInTopic' });
    for (const seconds of [-1, 2 ** 32, Number.NaN]) assert.deepEqual(faults({ messageExpiryInterval: seconds }), { messageExpiryInterval: 'notWhole' });
    assert.deepEqual(faults({ userProperties: [['a\0', '']] }), { userProperties: 'controlCharacter' });
    assert.deepEqual(faults({ contentType: 'a\0' }), { contentType: 'controlCharacter' });
  });

  test('is read from what a browser kept, whatever that is', () => {
    assert.deepEqual(readPublicationDraft(JSON.parse(JSON.stringify(full))), full);
    for (const value of [null, 1, [], {}, { topic: 'a' }]) assert.equal(readPublicationDraft(value), undefined);
    const odd = { topic: 'a', payload: '', format: 'exe', qos: 7, retain: 'yes', userProperties: [['a'], ['a', 'b'], 1], messageExpiryInterval: '5', contentType: 3, evil: 1 };
    assert.deepEqual(readPublicationDraft(odd), newPublicationDraft({ topic: 'a', userProperties: [['a', 'b']] }));
  });
});

describe('templates', () => {
  test('are kept by name, and one takes the place of another', () => {
    const store = memoryStore();
    const templates = new Templates(store);
    templates.save('b', newPublicationDraft({ topic: '1' }));
    templates.save('a', newPublicationDraft({ topic: '2' }));
    templates.save('b', newPublicationDraft({ topic: '3' }));
    const kept = () => new Templates(store).all.value.map(({ name, draft }) => [name, draft.topic]);
    assert.deepEqual(kept(), [['a', '2'], ['b', '3']]);
    templates.remove('a');
    assert.deepEqual(kept(), [['b', '3']]);
    assert.equal(templates.isStored.value, true);
  });

  test('say when there is no room, and survive what is no template', () => {
    const full = new Templates({ getItem: () => '[1, {"name": "x", "draft": {}}, {"name": 1}]', setItem: () => { throw new Error('full'); } });
    assert.deepEqual(full.all.value, []);
    full.save('a', newPublicationDraft());
    assert.deepEqual([full.isStored.value, full.all.value.length], [false, 1]);
  });
});

describe('a repetition', () => {
  test('does it so often, one after the other, and no faster than was said', async () => {
    const repetition = new Repetition();
    const done = [];
    let isBusy = false;
    const begin = performance.now();
    await repetition.start(async (index) => {
      assert.equal(isBusy, false);
      isBusy = true;
      await new Promise((resolve) => setTimeout(resolve, 1));
      isBusy = false;
      done.push(index);
      return true;
    }, { every: 10, count: 4 });
    assert.deepEqual(done, [0, 1, 2, 3]);
    assert.ok(performance.now() - begin >= 29);
    assert.deepEqual(repetition.state.value, { status: 'done', done: 4, count: 4 });
  });

  test('is stopped while it waits, and while it works', async () => {
    const repetition = new Repetition();
    let called = () => {};
    const isCalled = new Promise((resolve) => (called = resolve));
    const waits = repetition.start(async () => (called(), true), { every: 3_600_000, count: null });
    await isCalled;
    await new Promise((resolve) => setTimeout(resolve)); // it has heard that it succeeded
    repetition.stop();
    await waits;
    assert.deepEqual(repetition.state.value, { status: 'stopped', done: 1, count: null });

    let release;
    const works = repetition.start(() => new Promise((resolve) => (release = resolve)), { every: 1, count: 5 });
    while (!release) await new Promise((resolve) => setTimeout(resolve, 1));
    repetition.stop();
    release(true);
    await works;
    assert.deepEqual(repetition.state.value, { status: 'stopped', done: 0, count: 5 });
  });

  test('ends when it fails, and begins anew', async () => {
    const repetition = new Repetition();
    await repetition.start(async (index) => index < 2, { every: 1, count: 5 });
    assert.deepEqual(repetition.state.value, { status: 'failed', done: 2, count: 5 });
    await repetition.start(async () => true, { every: 1, count: 1 });
    assert.deepEqual(repetition.state.value, { status: 'done', done: 1, count: 1 });
  });

  test('leaves the page its time, also at once a millisecond', async () => {
    const repetition = new Repetition();
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    await repetition.start(async () => true, { every: 0, count: 2_000 });
    clearInterval(timer);
    assert.ok(ticks > 2, `${ticks} ticks`);
  });
});
