// Profiles: what is wrong with one, and what leaves the page with it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkProfile, newProfile, newWill, toConnectOptions } from '../src/model/profile.ts';
import { Profiles } from '../src/model/profiles.ts';
import { fromFile, fromLink, haveSecrets, readProfile, toFile, toLink } from '../src/model/share.ts';
import { memoryStore } from '../src/model/store.ts';

const page = 'https://console.example/app/';

describe('what is wrong with a profile', () => {
  for (const [what, known, expected] of [
    ['nothing in the default', {}, {}],
    ['an empty address', { server: '' }, { server: 'empty' }],
    ['no address', { server: 'broker example' }, { server: 'notAnAddress' }],
    ['an http address', { server: 'http://broker.example/mqtt' }, { server: 'httpAddress' }],
    ['a TCP address', { server: 'mqtts://broker.example' }, { server: 'tcpAddress' }],
    ['credentials in an address', { server: 'wss://ada:secret@broker.example' }, { server: 'credentialsInAddress' }],
    ['ws from a page over HTTPS', { server: 'ws://broker.example/mqtt' }, { server: 'mixedContent' }],
    ['not ws to this machine', { server: 'ws://localhost:8083/mqtt' }, {}],
    ['a keep alive beyond two bytes', { keepAlive: 65_536 }, { keepAlive: 'notWhole' }],
    ['a broken number', { keepAlive: Number.NaN }, { keepAlive: 'notWhole' }],
    ['a kept session without a name in 3.1.1', { protocolVersion: 4, cleanStart: false }, { clientId: 'clientIdNeeded' }],
    ['a password without a user in 3.1.1', { protocolVersion: 4, password: 'x' }, { userName: 'passwordNeedsUserName' }],
    ['SCRAM without credentials', { authentication: 'scram' }, { userName: 'scramNeedsCredentials' }],
    ['SCRAM in 3.1.1', { authentication: 'scram', protocolVersion: 4 }, { authentication: 'scramNeedsMqtt5' }],
    ['a will without a topic', { will: newWill() }, { 'will.topic': 'empty' }],
    ['a will to a filter', { will: newWill({ topic: 'a/#' }) }, { 'will.topic': 'wildcardInTopic' }],
    ['a bad filter', { subscriptions: [{ filter: 'a/b#', qos: 0 }] }, { 'subscriptions.0': 'badFilter' }],
    ['a Receive Maximum of 0', { properties: { ...newProfile().properties, receiveMaximum: 0 } }, { 'properties.receiveMaximum': 'notWhole' }],
  ]) {
    test(what, () => assert.deepEqual(checkProfile(newProfile(known), 'https:'), expected));
  }
});

test('what is not said is not sent', () => {
  assert.deepEqual(toConnectOptions(newProfile({ protocolVersion: 4, will: newWill({ topic: 'gone', contentType: 'x' }) })), {
    protocolVersion: 4,
    cleanStart: true,
    keepAlive: 120,
    will: { topic: 'gone', payload: '', qos: 0, retain: false },
  });
  const properties = { ...newProfile().properties, sessionExpiryInterval: 0, requestProblemInformation: false };
  assert.deepEqual(toConnectOptions(newProfile({ properties })).properties, { sessionExpiryInterval: 0, requestProblemInformation: false });
});

describe('a link', () => {
  const profile = newProfile({
    name: 'Häfen 港口',
    server: 'wss://broker.example/mqtt?room=a&access_token=hush-1',
    userName: 'ada',
    password: 'hush-2',
    keepsPassword: true,
    properties: { ...newProfile().properties, userProperties: [['region', 'north'], ['x-api-key', 'hush-3']] },
    will: newWill({ topic: 'gone', userProperties: [['token', 'hush-4']] }),
  });

  test('gives back the profile without what is secret', () => {
    const link = toLink(profile, page);
    const read = fromLink(link);
    assert.equal(read.name, profile.name);
    assert.equal(read.userName, 'ada');
    assert.equal(read.server, 'wss://broker.example/mqtt?room=a');
    assert.deepEqual(read.properties.userProperties, [['region', 'north']]);
    assert.deepEqual([read.password, read.keepsPassword, read.will.userProperties], ['', false, []]);
    assert.notEqual(read.id, profile.id);
    assert.doesNotMatch(atob(link.split('connect=')[1].replaceAll('-', '+').replaceAll('_', '/')), /hush/);
  });

  test('is none, or cannot be read', () => {
    assert.equal(fromLink(page), null);
    assert.equal(fromLink(`${page}#connect=@@@`), undefined);
    assert.equal(fromLink(`${page}#connect=${btoa('[]')}`), undefined);
  });
});

describe('a file', () => {
  const profiles = [newProfile({ name: 'one', server: 'wss://one.example', password: 'hush', keepsPassword: true }), newProfile({ name: 'two' })];

  test('gives back the profiles, passwords only if they are asked for', () => {
    assert.deepEqual(fromFile(toFile(profiles, false)).map(({ name, password }) => [name, password]), [['one', ''], ['two', '']]);
    assert.deepEqual(fromFile(toFile(profiles, true)).map(({ password }) => password), ['hush', '']);
  });

  test('has other secrets only if they are asked for, and it is known whether there are any', () => {
    const told = newProfile({
      server: 'wss://two.example/mqtt?room=a&access_token=hush',
      properties: { ...newProfile().properties, userProperties: [['region', 'north'], ['x-api-key', 'hush']] },
      will: newWill({ topic: 'gone', userProperties: [['token', 'hush']] }),
    });
    assert.doesNotMatch(toFile([told], false), /hush/);
    assert.equal(fromFile(toFile([told], false))[0].server, 'wss://two.example/mqtt?room=a');
    const [read] = fromFile(toFile([told], true));
    assert.deepEqual([read.server, read.properties, read.will], [told.server, told.properties, told.will]);
    assert.deepEqual([profiles, [told], [profiles[1]], [newProfile({ password: 'not kept' })]].map(haveSecrets), [true, true, false, false]);
  });

  test('that is none is refused', () => {
    for (const text of ['', '{}', '[]', '{"mqlite":"profiles","profiles":[{"name":"no server"}]}']) assert.equal(fromFile(text), undefined);
  });

  test('of unknown origin is read with care', () => {
    const read = readProfile({ server: 'tab', name: 7, will: { topic: 'a', qos: 9 }, properties: { receiveMaximum: '1' }, __proto__: { keepAlive: 1 } });
    assert.equal(read.name, '');
    assert.equal(read.keepAlive, 120);
    assert.equal(read.will.qos, 0);
    assert.equal(read.properties.receiveMaximum, null);
  });
});

describe('the stored profiles', () => {
  test('come back with the next page, with a password only where it is to be kept', () => {
    const store = memoryStore();
    const profiles = new Profiles(store);
    const [open, closed] = [newProfile({ name: 'a', password: 'kept', keepsPassword: true }), newProfile({ name: 'b', password: 'hush' })];
    profiles.save(open);
    profiles.save(closed);
    profiles.save({ ...open, name: 'renamed' });
    const again = new Profiles(store).all.value;
    assert.deepEqual(again.map(({ name, password }) => [name, password]), [['renamed', 'kept'], ['b', '']]);
    profiles.remove(open.id);
    assert.deepEqual(new Profiles(store).all.value.map(({ name }) => name), ['b']);
  });

  test('keep what another page changed meanwhile, and the passwords of this one', () => {
    const store = memoryStore();
    const [here, there] = [new Profiles(store), new Profiles(store)];
    const secret = newProfile({ name: 'secret', password: 'hush' });
    here.save(secret);
    there.save(newProfile({ name: 'from there' }));
    here.save(newProfile({ name: 'from here' }));
    assert.deepEqual(here.all.value.map(({ name, password }) => [name, password]), [['secret', 'hush'], ['from there', ''], ['from here', '']]);
    there.remove(secret.id);
    assert.deepEqual(new Profiles(store).all.value.map(({ name }) => name), ['from there', 'from here']);
    assert.equal(store.getItem('mqlite.profiles').includes('hush'), false);
  });

  test('stay on the page when there is no room for them', () => {
    const store = { ...memoryStore(), setItem: () => { throw new Error('full'); } };
    const profiles = new Profiles(store);
    profiles.save(newProfile({ name: 'one' }));
    profiles.save(newProfile({ name: 'two' }));
    assert.deepEqual(profiles.all.value.map(({ name }) => name), ['one', 'two']);
  });

  test('say when there was no room', () => {
    const store = { ...memoryStore(), setItem: () => { throw new Error('full'); } };
    const profiles = new Profiles(store);
    profiles.save(newProfile());
    assert.equal(profiles.isStored.value, false);
    assert.equal(profiles.all.value.length, 1);
  });
});
