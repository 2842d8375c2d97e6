// SCRAM-SHA-256 through AUTH, by our own client: MQTT.js and mosquitto's clients have none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, scramSha256 } from '../../../js/dist/index.js';

const PASSWORD = 'pencil and paper';

export function scram(peers, host) {
  const open = (authentication, options = {}) =>
    connect(host.websocket, { reconnect: false, responseTimeoutMillis: 30_000, authentication, ...options });

  test('SCRAM-SHA-256 lets in with the password that CONNECT takes too', async () => {
    await host.addUser('ada', { password: PASSWORD });
    const client = await open(scramSha256({ userName: 'ada', password: PASSWORD, minimumIterations: 1_000 }), { clientId: 'scram' });
    await client.publish('of/ada/a', 'x', { qos: 1 });
    await assert.rejects(client.publish('of/eve/a', 'x', { qos: 1 }), { reason: 0x87 });
    await client.end();
    await peers.letIn({ username: 'ada', password: PASSWORD });
  });

  test('A client may authenticate anew, with the password of now', async () => {
    await host.addUser('anew', { password: PASSWORD });
    const client = await open(scramSha256({ userName: 'anew', password: PASSWORD, minimumIterations: 1_000 }));
    await client.reauthenticate();
    await client.publish('of/anew/a', 'x', { qos: 1 });
    await host.addUser('anew', { password: 'another password', grants: [] });
    await assert.rejects(client.reauthenticate());
    await client.end().catch(() => {});
    const again = await open(scramSha256({ userName: 'anew', password: 'another password', minimumIterations: 1_000 }));
    await assert.rejects(again.publish('of/anew/a', 'x', { qos: 1 }), { reason: 0x87 });
    await again.end();
  });

  test('A password that is changed while somebody proves it is good no more', async () => {
    await host.addUser('changing', { password: PASSWORD });
    const { begin, respond, ...rest } = scramSha256({ userName: 'changing', password: PASSWORD, minimumIterations: 1_000 });
    const late = async (challenge) => {
      await host.addUser('changing', { password: 'another password' });
      return respond(challenge);
    };
    await assert.rejects(open({ begin, respond: late, ...rest }), { code: 'refused', reason: 0x86 });
    await peers.letIn({ username: 'changing', password: 'another password' });
  });

  test('Grants that are changed while somebody proves who it is hold at once', async () => {
    await host.addUser('shrinking', { password: PASSWORD });
    const { begin, respond, ...rest } = scramSha256({ userName: 'shrinking', password: PASSWORD, minimumIterations: 1_000 });
    const late = async (challenge) => {
      await host.addUser('shrinking', { grants: [{ filter: 'little' }] });
      return respond(challenge);
    };
    const client = await open({ begin, respond: late, ...rest });
    await assert.rejects(client.publish('of/shrinking/a', 'x', { qos: 1 }), { reason: 0x87 });
    await client.end();
  });

  test('New grants hold when a client has authenticated anew', async () => {
    await host.addUser('regranted', { password: PASSWORD });
    const client = await open(scramSha256({ userName: 'regranted', password: PASSWORD, minimumIterations: 1_000 }));
    await client.publish('of/regranted/a', 'x', { qos: 1 });
    await host.addUser('regranted', { grants: [{ filter: 'little' }] });
    await client.reauthenticate();
    await assert.rejects(client.publish('of/regranted/a', 'x', { qos: 1 }), { reason: 0x87 });
    await client.publish('little', 'x', { qos: 1 });
    await client.end();
  });

  test('A wrong password is refused, and a user who does not exist in the same way', async () => {
    await host.addUser('ada', { password: PASSWORD });
    for (const [userName, password] of [['ada', 'wrong'], ['nobody', PASSWORD]]) {
      await assert.rejects(open(scramSha256({ userName, password, minimumIterations: 1_000 })), { code: 'refused', reason: 0x86 }, userName);
    }
  });

  test('A user who does not exist has a salt, and it is always the same', async () => {
    await host.addUser('ada', { password: PASSWORD });
    const challenges = {};
    for (const userName of ['ada', 'ada', 'nobody', 'nobody', 'no one']) {
      const { begin, respond, ...rest } = scramSha256({ userName, password: 'wrong', minimumIterations: 1_000 });
      const spy = (challenge) => {
        (challenges[userName] ??= []).push(new TextDecoder().decode(challenge).replace(/^r=[^,]*,/, ''));
        return respond(challenge);
      };
      await assert.rejects(open({ begin, respond: spy, ...rest }));
    }
    for (const userName of ['ada', 'nobody']) assert.equal(challenges[userName][0], challenges[userName][1]);
    assert.equal(new Set(Object.values(challenges).flat()).size, 3);
    for (const challenge of Object.values(challenges).flat()) assert.match(challenge, /^s=[\w+/]{22}==,i=1000$/);
  });

  test('A client cannot become somebody else', async () => {
    await host.addUser('ada', { password: PASSWORD });
    await host.addUser('eve', { password: PASSWORD });
    const [ada, eve] = ['ada', 'eve'].map((userName) => scramSha256({ userName, password: PASSWORD, minimumIterations: 1_000 }));
    let who = ada;
    const changing = { method: ada.method, begin: () => who.begin(), respond: (data) => who.respond(data), finish: (data) => who.finish(data) };
    const client = await open(changing);
    who = eve;
    await assert.rejects(client.reauthenticate());
    await client.end().catch(() => {});
  });

  test('Another method is refused with 0x8C', async () => {
    const other = { method: 'PLAIN', begin: () => new TextEncoder().encode(`\0ada\0${PASSWORD}`), respond: (challenge) => challenge };
    await assert.rejects(open(other), { reason: 0x8c });
  });

  test('An exchange that is none is refused', async () => {
    await host.addUser('ada', { password: PASSWORD });
    for (const [first, second] of [
      [undefined, ''],
      ['', ''],
      ['n,,n=ada', ''],
      ['p=tls-unique,,n=ada,r=abc', ''],
      ['n,a=root,n=ada,r=abc', ''],
      ['n,,n=ada,r=abc', ''],
      ['n,,n=ada,r=abc', 'c=biws,r=abc,p='],
      ['n,,n=ada,r=abc', 'x'.repeat(60_000)],
    ]) {
      const encode = (text) => text === undefined ? undefined : new TextEncoder().encode(text);
      const authentication = { method: 'SCRAM-SHA-256', begin: () => encode(first), respond: () => encode(second) };
      await assert.rejects(open(authentication), { reason: 0x86 }, `${first} ${second.slice(0, 40)}`);
    }
  });
}
