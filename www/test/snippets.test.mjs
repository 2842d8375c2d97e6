// Code for others: that shells read it as it was meant, that programs parse, and that no secret is in it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { newProfile, newWill } from '../src/model/profile.ts';
import { shellWord } from '../src/model/snippet-shell.ts';
import { snippet, TOOLS } from '../src/model/snippets.ts';
import { bytes } from './messages.mjs';

const profile = (known = {}) => newProfile({ server: 'ws://broker.example:8080/mqtt', ...known });
const publish = (known = {}) => ({ kind: 'publish', publication: { topic: 't', payload: bytes('x'), ...known } });
const subscribe = (known = {}) => ({ kind: 'subscribe', subscription: { filter: 'f', qos: 0, ...known } });
const code = (tool, action, known = {}) => snippet(tool, profile(known), action).code;

describe('a snippet for a shell', () => {
  /** The words that a command gets, of what `sh` makes of the code; `-s` is followed by its input. */
  function words(text, environment = {}) {
    const command = `show() { for word; do printf '%s\\0' "$word"; [ "$word" != -s ] || { od -An -v -tx1 | tr -d ' \\n'; printf '\\0'; }; done; }
mosquitto_pub() { show "$@"; }; mosquitto_sub() { show "$@"; }; mqttx() { show "$@"; }
${text}`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', command], { encoding: 'utf8', env: { ...process.env, ...environment }, maxBuffer: 1e8 });
    assert.equal(status, 0, `${text}\n${stderr}`);
    return stdout.split('\0').slice(0, -1);
  }

  function after(list, option) {
    return list[list.indexOf(option) + 1];
  }

  test('has words that are read as they were meant, whatever is in them', () => {
    const every = Array.from({ length: 0x17f }, (_, letter) => String.fromCharCode(letter + 1)).join('');
    for (const text of ['', 'a', "'", "''", "'a'b'", '-n', '$HOME', '`id`', '$(id)', '!x', '~', '*', '\\', "\\'", '"', '=x', '#', 'a b', '\n', '😀', every]) {
      const { stdout } = spawnSync('sh', ['-c', `printf '%s' ${shellWord(text)}`], { encoding: 'utf8' });
      assert.equal(stdout, text);
    }
  });

  test('gives the payload as a word, or through a pipe what is none', () => {
    for (const tool of ['mosquitto', 'mqttx']) {
      const list = (payload) => words(code(tool, publish({ topic: "it's $HOME", payload })));
      assert.equal(after(list(bytes("it's\n$HOME")), '-m'), "it's\n$HOME");
      assert.equal(after(list(bytes('x')), '-t'), "it's $HOME");
      for (const payload of [Uint8Array.of(0), Uint8Array.of(0xff, 10), bytes('\0'), bytes("'".repeat(70_000))]) {
        const input = Array.from(payload, (byte) => byte.toString(16).padStart(2, '0')).join('');
        assert.equal(after(list(payload), '-s'), input);
      }
    }
    assert.ok(words(code('mosquitto', publish({ payload: new Uint8Array() }))).includes('-n'));
    assert.equal(after(words(code('mqttx', publish({ payload: new Uint8Array() }))), '-m'), '');
  });

  test('says how the profile connects', () => {
    const known = {
      clientId: "o'neil",
      cleanStart: false,
      keepAlive: 30,
      userName: 'a b',
      password: 'hidden',
      properties: { ...newProfile().properties, sessionExpiryInterval: 60, receiveMaximum: 5, userProperties: [['n', 'v w']] },
      will: newWill({ topic: 'w/1', payload: 'gone $x', qos: 1, retain: true, willDelayInterval: 3, contentType: 'text/plain' }),
    };
    assert.deepEqual(words(code('mosquitto', publish(), known), { MQTT_PASSWORD: 'x y' }), [
      ...['-h', 'broker.example', '-p', '1883', '-V', 'mqttv5', '-i', "o'neil", '-c', '-k', '30', '-u', 'a b', '-P', 'x y', '-x', '60'],
      ...['-D', 'connect', 'receive-maximum', '5', '-D', 'connect', 'user-property', 'n', 'v w'],
      ...['--will-topic', 'w/1', '--will-payload', 'gone $x', '--will-qos', '1', '--will-retain'],
      ...['-D', 'will', 'will-delay-interval', '3', '-D', 'will', 'content-type', 'text/plain', '-t', 't', '-m', 'x'],
    ]);
    assert.deepEqual(words(code('mqttx', publish(), known), { MQTT_PASSWORD: 'x y' }), [
      ...['pub', '-h', 'broker.example', '-p', '8080', '-l', 'ws', '--path', '/mqtt', '-i', "o'neil", '--no-clean', '-k', '30', '-u', 'a b', '-P', 'x y'],
      ...['-se', '60', '--receive-maximum', '5', '-Cup', 'n: v w', '-Wt', 'w/1', '-Wm', 'gone $x', '-Wq', '1', '-Wr', '-Wd', '3', '-Wct', 'text/plain'],
      ...['-t', 't', '-m', 'x'],
    ]);
    const secure = words(code('mosquitto', publish(), { server: 'wss://[::1]/mqtt', protocolVersion: 4 }));
    assert.deepEqual(secure.slice(0, 7), ['-h', '::1', '-p', '8883', '-V', 'mqttv311', '--tls-use-os-certs']);
    assert.deepEqual(words(code('mqttx', publish(), { server: 'wss://a.example', protocolVersion: 4 })).slice(0, 11), ['pub', '-h', 'a.example', '-p', '443', '-l', 'wss', '--path', '/', '-V', '3.1.1']);
  });

  test('says how it subscribes, and what it cannot say', () => {
    const action = subscribe({ filter: '$share/g/#', qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 'doNotSend', identifier: 9, colour: 1 });
    const mosquitto = snippet('mosquitto', profile(), action);
    assert.deepEqual(words(mosquitto.code).slice(8), ['-t', '$share/g/#', '-q', '1', '--retain-as-published', '-D', 'subscribe', 'subscription-identifier', '9', '-v']);
    assert.deepEqual(mosquitto.notes.find(({ note }) => note === 'lacks'), { note: 'lacks', what: 'No Local, Retain Handling' });
    assert.deepEqual(words(code('mqttx', action)).slice(-12), ['-t', '$share/g/#', '-q', '1', '-nl', 'true', '-rap', 'true', '-rh', '2', '-si', '9']);
  });

  test('leaves out what the tool would get wrong, and says so', () => {
    const properties = { correlationData: Uint8Array.of(0xff), userProperties: [['a', 'b: c'], ['a', ''], ['a:', 'b'], ['good', 'x:y']] };
    const { code: text, notes } = snippet('mqttx', profile(), publish({ properties }));
    assert.deepEqual(words(text).slice(-4), ['-up', 'good: x:y', '-m', 'x']);
    assert.match(notes.at(-1).what, /^Correlation Data, User Property "a", User Property "a", User Property "a:"$/);
  });
});

test('a snippet with the Client Identifier of the page says so, where both may meet', () => {
  const warns = (known) => snippet('mqttjs', profile(known), publish()).notes.some(({ note, what }) => note === 'clientId' && what === 'c');
  assert.deepEqual([warns({ clientId: 'c' }), warns({}), warns({ clientId: 'c', server: 'tab' })], [true, false, false]);
});

describe('a snippet for JavaScript', () => {
  /** What the program does with the package that it imports. */
  async function run(text) {
    const calls = [];
    const record = (name) => async (...values) => (calls.push([name, ...values]), client);
    const client = Object.fromEntries(['publish', 'publishAsync', 'subscribe', 'subscribeAsync', 'end', 'endAsync', 'close', 'on'].map((name) => [name, record(name)]));
    const names = ['connect', 'connectAsync', 'scramSha256', 'Broker'];
    const given = { ...client, connect: record('connect'), connectAsync: record('connect'), scramSha256: (options) => ['scram', options], Broker: { open: async () => client } };
    const body = text.replace(/^import .*\n/, '');
    await new Function(...names, `return (async () => { ${body} })()`)(...names.map((name) => given[name]));
    return calls;
  }

  test('gives every text as it is', async () => {
    const every = `${Array.from({ length: 0x2100 }, (_, letter) => String.fromCharCode(letter)).join('')}'"\\\\"\\'\${x}\`😀</script>`;
    for (const tool of ['mqlite', 'mqttjs']) {
      const text = code(tool, publish({ topic: every, payload: bytes(every) }));
      assert.doesNotMatch(text, /[\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
      const [, [, topic, payload]] = await run(text);
      assert.equal(topic, every);
      assert.equal(payload, every);
    }
  });

  test('breaks what would be a long line', () => {
    const text = code('mqlite', publish({ payload: bytes('x'.repeat(50)), properties: { contentType: 'application/json', responseTopic: 'a/b' } }));
    assert.match(text, /', \{\n  properties: \{ contentType: 'application\/json', responseTopic: 'a\/b' \},\n\}\);\n/);
    assert.match(code('mqlite', publish({ qos: 1 })), /publish\('t', 'x', \{ qos: 1 \}\);/);
  });

  test('gives bytes as bytes', async () => {
    const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const tool of ['mqlite', 'mqttjs']) {
      const [, [, , found, { properties }]] = await run(code(tool, publish({ payload, properties: { correlationData: payload } })));
      assert.deepEqual(Uint8Array.from(found), payload);
      assert.deepEqual(Uint8Array.from(properties.correlationData), payload);
    }
  });

  test('says how the profile connects', async () => {
    process.env.MQTT_PASSWORD = 'from outside';
    const known = { clientId: 'c', userName: 'u', password: 'hidden', keepAlive: 5, reconnect: false, protocolVersion: 4, cleanStart: false, will: newWill({ topic: 'w' }) };
    const will = { topic: 'w', payload: '', qos: 0, retain: false };
    const [mqlite] = await run(code('mqlite', publish(), known));
    const shared = { clientId: 'c', will };
    assert.deepEqual(mqlite, ['connect', 'ws://broker.example:8080/mqtt', { ...shared, protocolVersion: 4, cleanStart: false, userName: 'u', keepAlive: 5, password: 'from outside', reconnect: false }]);
    const [mqttJs] = await run(code('mqttjs', publish(), known));
    assert.deepEqual(mqttJs, ['connect', 'ws://broker.example:8080/mqtt', { ...shared, clean: false, username: 'u', keepalive: 5, password: 'from outside', reconnectPeriod: 0 }]);
  });

  test('has User Properties as each package wants them', async () => {
    const properties = { userProperties: [['__proto__', 'p'], ['a b', '1'], ['a b', '2']] };
    const [, [, , , mqlite]] = await run(code('mqlite', publish({ properties })));
    assert.deepEqual(mqlite.properties, properties);
    const [, [, , , mqttJs]] = await run(code('mqttjs', publish({ properties })));
    assert.deepEqual(Object.entries(mqttJs.properties.userProperties), [['__proto__', 'p'], ['a b', ['1', '2']]]);
  });

  test('says how it subscribes', async () => {
    const action = subscribe({ filter: 'f', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 'sendIfNew', identifier: 9, colour: 1 });
    const [, [, filter, options]] = await run(code('mqlite', action));
    assert.deepEqual([filter, options], ['f', { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 'sendIfNew', identifier: 9 }]);
    const calls = await run(code('mqttjs', action));
    assert.deepEqual(calls.at(-1), ['subscribeAsync', 'f', { qos: 2, nl: true, rap: true, rh: 1, properties: { subscriptionIdentifier: 9 } }]);
  });

  test('proves the password where the package can', async () => {
    const known = { authentication: 'scram', userName: 'u', password: 'hidden' };
    process.env.MQTT_PASSWORD = 'from outside';
    const [[, , { authentication }]] = await run(code('mqlite', publish(), known));
    assert.deepEqual(authentication, ['scram', { userName: 'u', password: 'from outside' }]);
    for (const tool of ['mqttjs', 'mosquitto', 'mqttx']) assert.ok(snippet(tool, profile(known), publish()).notes.some(({ note }) => note === 'scram'), tool);
  });
});

test('no snippet holds a password, nor what is called like a secret', () => {
  const secret = [['token', 'hidden'], ['unit', 'm']];
  const known = {
    server: 'wss://ada:hidden@broker.example/mqtt?access_token=hidden&room=1',
    userName: 'ada',
    password: 'hidden',
    properties: { ...newProfile().properties, userProperties: secret },
    will: newWill({ topic: 'w', userProperties: secret }),
  };
  for (const tool of TOOLS) {
    for (const action of [publish({ properties: { userProperties: secret } }), subscribe()]) {
      for (const authentication of ['password', 'scram']) {
        const { code: text, notes } = snippet(tool, profile({ ...known, authentication }), action);
        assert.doesNotMatch(text, /hidden/, tool);
        assert.ok(notes.some(({ note }) => note === 'secret'), tool);
      }
    }
  }
  assert.match(code('mqlite', subscribe(), known), /room=1/);
  assert.match(code('mqlite', publish({ properties: { userProperties: secret } }), known), /'unit', 'm'/);
});
