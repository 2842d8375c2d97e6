// The tree of topics, and what of it is in sight.
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { matchesFilter } from '../src/model/find.ts';
import { TopicRows } from '../src/model/topic-rows.ts';
import { TopicTree } from '../src/model/topic-tree.ts';
import { message } from './messages.mjs';

describe('a topic tree', () => {
  test('counts messages, topics and bytes at each level', () => {
    const tree = grown(['sensor/10/temperature', '23.5'], ['sensor/10/humidity', '40'], ['sensor/10/temperature', '24'], ['sensor', 'x']);
    const sensor = tree.find('sensor');
    assert.deepEqual(figures(sensor), { count: 1, total: 4, topics: 3, bytes: 9 });
    assert.deepEqual(figures(tree.find('sensor/10')), { count: 0, total: 3, topics: 2, bytes: 8 });
    assert.deepEqual(figures(tree.find('sensor/10/temperature')), { count: 2, total: 2, topics: 1, bytes: 6 });
    assert.equal(tree.root.total, 4);
    assert.equal(tree.size, 4);
    assert.equal(text(tree.find('sensor/10/temperature').last), '24');
  });

  test('takes every topic that the standard allows, empty levels and names of objects among them', () => {
    const topics = ['/', '//', 'a//b', '/a', 'a/', '__proto__/constructor', 'toString', ' ', '<b>', '日本/温度'];
    const tree = grown(...topics.map((topic) => [topic, 'x']));
    for (const topic of topics) assert.equal(tree.find(topic)?.count, 1, topic);
    assert.equal(tree.root.topics, topics.length);
  });

  test('leaves out what was sent', () => {
    const tree = new TopicTree();
    assert.equal(tree.insert(message('a', 'x', { direction: 'sent' })), null);
    assert.equal(tree.size, 0);
  });

  test('sorts levels as people do', () => {
    const tree = grown(['r/10', ''], ['r/9', ''], ['r/b', ''], ['r/A', ''], ['r/100', ''], ['r/a', '']);
    assert.deepEqual(tree.find('r').children.map(({ name }) => name), ['9', '10', '100', 'a', 'A', 'b']);
  });

  test('tells the rate at each level, which falls when nothing comes', () => {
    const tree = new TopicTree();
    for (let time = 0; time <= 60_000; time += 100) tree.insert(message('a/b', '', { time }));
    assert.ok(Math.abs(tree.find('a').rate(60_000) - 10) < 0.5, String(tree.find('a').rate(60_000)));
    assert.ok(tree.find('a').rate(120_000) < 0.01);
  });

  test('knows what the broker keeps from what it said', () => {
    const tree = new TopicTree();
    tree.insert(message('a/b', 'kept', { retain: true }));
    tree.insert(message('a/c', 'kept', { retain: true }));
    tree.insert(message('a/b', 'live'));
    assert.equal(tree.find('a').retainedTopics, 2);
    assert.equal(tree.find('a/b').retained, true);
    tree.insert(message('a/b', '', { retain: true }));
    tree.retain('a/c', false);
    tree.retain('unknown', false);
    assert.equal(tree.root.retainedTopics, 0);
  });

  test('keeps the latest messages of each topic', () => {
    const tree = new TopicTree({ history: 3 });
    for (let index = 0; index < 10; index += 1) tree.insert(message('a', String(index)));
    assert.deepEqual([...tree.find('a').history].map(text), ['7', '8', '9']);
    assert.equal(tree.find('a').count, 10);
  });

  test('keeps so many messages in all histories, the latest ones, and the last of each topic', () => {
    const tree = new TopicTree({ messages: 4, history: 3 });
    tree.insert(message('quiet', 'q'));
    for (let index = 0; index < 10; index += 1) tree.insert(message('loud', String(index)));
    tree.insert(message('b', '1'));
    tree.insert(message('b', '2'));
    assert.equal(tree.find('quiet').history.length, 0);
    assert.equal(text(tree.find('quiet').last), 'q');
    assert.deepEqual([...tree.find('loud').history].map(text), ['8', '9']);
    assert.deepEqual([...tree.find('b').history].map(text), ['1', '2']);
  });

  test('keeps so many bytes in all histories; a large last value goes, and is missing', () => {
    const tree = new TopicTree({ bytes: 10_000 });
    for (const name of ['a', 'b', 'c']) tree.insert(message(name, 'x'.repeat(4_000)));
    assert.equal(tree.find('a').last, null);
    assert.equal(tree.find('a').count, 1);
    assert.equal(tree.find('b').last.payload.byteLength, 4_000);
    assert.equal(tree.find('b').history.length + tree.find('c').history.length, 2);
  });

  test('has so many levels and no more, and says how many messages it left out', () => {
    const tree = new TopicTree({ nodes: 5 });
    for (let index = 0; index < 10; index += 1) tree.insert(message(`a/${index}`));
    assert.equal(tree.size, 5);
    assert.equal(tree.leftOut, 6);
    tree.insert(message('a/1', 'still'));
    assert.equal(text(tree.find('a/1').last), 'still');
    assert.equal(tree.leftOut, 6);
  });

  test('has so many characters of topics and no more', () => {
    const tree = new TopicTree({ characters: 100 });
    tree.insert(message('ten/levels')); // 3 and 10
    for (const letter of 'abcd') tree.insert(message(letter.repeat(40)));
    assert.equal(tree.root.topics, 3);
    assert.equal(tree.leftOut, 2);
    tree.clear();
    for (const letter of 'abcd') tree.insert(message(letter.repeat(40)));
    assert.equal(tree.root.topics, 2);
  });

  test('counts topics and properties among the bytes of histories', () => {
    const tree = new TopicTree({ bytes: 10_000 });
    const properties = { userProperties: [['x'.repeat(2_000), '']] };
    for (const topic of ['a', 'a', 'b', 'c']) tree.insert(message(topic, '', { properties }));
    assert.deepEqual(['a', 'b', 'c'].map((topic) => tree.find(topic).history.length), [0, 1, 1]);
    assert.equal(tree.find('a').last, null);
  });

  test('takes a topic of very many levels', () => {
    const topic = 'a/'.repeat(30_000);
    const tree = grown([topic, 'deep']);
    assert.equal(tree.find(topic).count, 1);
    assert.equal(tree.size, 128);
    assert.equal([...tree.below()].length, 128);
  });

  test('is empty after it was cleared', () => {
    const tree = grown(['a/b', 'x']);
    tree.clear();
    assert.equal(tree.size + tree.root.total, 0);
    assert.equal(tree.find('a/b'), undefined);
    tree.insert(message('c'));
    assert.deepEqual([...tree.below()].map(({ topic }) => topic), ['c']);
  });
});

describe('the rows of a tree', () => {
  test('show a small tree whole, in order', () => {
    const rows = new TopicRows(grown(['b', ''], ['a/2/x', ''], ['a/10', ''], ['a', '']));
    assert.deepEqual(topics(rows), ['a', 'a/2', 'a/2/x', 'a/10', 'b']);
  });

  test('show the first levels of a large tree', () => {
    const tree = new TopicTree();
    for (let index = 0; index < 100; index += 1) tree.insert(message(`a/${index}`));
    assert.deepEqual(topics(new TopicRows(tree)), ['a']);
  });

  test('fold and unfold, one level or all, and stay as the reader left them', () => {
    const tree = grown(['a/b/c', ''], ['d/e', '']);
    const rows = new TopicRows(tree);
    rows.rows();
    rows.fold(tree.find('a'), false);
    assert.deepEqual(topics(rows), ['a', 'd', 'd/e']);
    tree.insert(message('a/f'));
    assert.deepEqual(topics(rows), ['a', 'd', 'd/e']);
    rows.foldAll(true);
    assert.deepEqual(topics(rows), ['a', 'a/b', 'a/b/c', 'a/f', 'd', 'd/e']);
    rows.foldAll(false);
    assert.deepEqual(topics(rows), ['a', 'd']);
  });

  test('filter by topic, by Topic Filter and by payload, with the levels before what is found', () => {
    const tree = grown(['home/attic/Temperature', '20'], ['home/attic/door', 'open'], ['home/cellar/door', 'Closed'], ['x', 'open']);
    const rows = new TopicRows(tree);
    rows.filter = { topic: 'temper', payload: '' };
    assert.deepEqual(topics(rows), ['home', 'home/attic', 'home/attic/Temperature']);
    assert.equal(rows.found, 1);
    rows.filter = { topic: 'home/+/door', payload: '' };
    assert.deepEqual(topics(rows), ['home', 'home/attic', 'home/attic/door', 'home/cellar', 'home/cellar/door']);
    rows.filter = { topic: '', payload: 'OPEN' };
    assert.deepEqual(topics(rows), ['home', 'home/attic', 'home/attic/door', 'x']);
    rows.filter = { topic: 'home', payload: 'closed' };
    assert.deepEqual(topics(rows), ['home', 'home/cellar', 'home/cellar/door']);
    rows.fold(tree.find('home'), false);
    assert.deepEqual(topics(rows), ['home']);
    rows.filter = { topic: '', payload: '' };
    assert.equal(rows.found, null);
    assert.equal(topics(rows).length, 7);
  });

  test('follow payloads that change when they are refreshed', () => {
    const tree = grown(['a', 'on'], ['b', 'off']);
    const rows = new TopicRows(tree);
    rows.filter = { topic: '', payload: 'on' };
    assert.deepEqual(topics(rows), ['a']);
    tree.insert(message('b', 'on'));
    rows.refresh();
    assert.deepEqual(topics(rows), ['a', 'b']);
  });

  test('read each last payload once for what is looked for', () => {
    const tree = grown(['a', 'on'], ['b', 'off'], ['c', 'on']);
    const rows = new TopicRows(tree);
    const { mock: decode } = mock.method(TextDecoder.prototype, 'decode');
    try {
      rows.filter = { topic: '', payload: 'on' };
      for (let time = 0; time < 5; time += 1) {
        rows.refresh();
        assert.equal(rows.found, 2);
      }
      assert.equal(decode.callCount(), 3);
      tree.insert(message('b', 'on'));
      rows.refresh();
      assert.equal(rows.found, 3);
      assert.equal(decode.callCount(), 4);
      rows.filter = { topic: '', payload: 'off' };
      assert.equal(rows.found, 0);
    } finally {
      decode.restore();
    }
  });

  test('find a level that becomes a topic', () => {
    const tree = grown(['a/b/c', '']);
    const rows = new TopicRows(tree);
    rows.filter = { topic: 'a/+', payload: '' };
    assert.equal(rows.found, 0);
    tree.insert(message('a/b'));
    assert.equal(rows.found, 1);
    assert.deepEqual(topics(rows), ['a', 'a/b']);
  });

  test('begin anew with a tree that was cleared', () => {
    const tree = grown(['a/b', '']);
    const rows = new TopicRows(tree);
    rows.rows();
    tree.clear();
    assert.deepEqual(topics(rows), []);
    tree.insert(message('c/d'));
    assert.deepEqual(topics(rows), ['c', 'c/d']);
  });
});

describe('a Topic Filter', () => {
  for (const [filter, topic, expected] of [
    ['sport/tennis/player1/#', 'sport/tennis/player1', true], // [MQTT-4.7.1-1]
    ['sport/#', 'sport', true],
    ['#', '$SYS/x', false], // [MQTT-4.7.2-1]
    ['+/monitor', '$SYS/monitor', false],
    ['$SYS/#', '$SYS/x', true],
    ['+', '/finance', false],
    ['/+', '/finance', true],
    ['+/+', '/finance', true],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['a/b', 'a/b/c', false],
    ['$share/group/a/+', 'a/b', true],
  ]) {
    test(`${filter} ${expected ? 'takes' : 'does not take'} ${topic}`, () => assert.equal(matchesFilter(filter, topic), expected));
  }
});

function grown(...messages) {
  const tree = new TopicTree();
  for (const [topic, payload] of messages) tree.insert(message(topic, payload));
  return tree;
}

function figures({ count, total, topics: all, bytes }) {
  return { count, total, topics: all, bytes };
}

function topics(rows) {
  return rows.rows().map(({ topic }) => topic);
}

function text({ payload }) {
  return new TextDecoder().decode(payload);
}
