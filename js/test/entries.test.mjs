// The entries of the package: what they share, and where each has its WebAssembly from.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as broker from 'mqlite/broker';
import * as client from 'mqlite';
import * as slim from 'mqlite/slim';
import * as url from 'mqlite/url';

test('All entries have the same classes, and those with a broker all that the others have', () => {
  for (const entry of [broker, slim, url]) {
    assert.equal(entry.MqttError, client.MqttError);
    assert.equal(entry.Client, client.Client);
    assert.deepEqual(Object.keys(entry).sort(), ['Broker', ...Object.keys(client)].sort());
  }
});

test('A client of one entry reaches a broker of another', async () => {
  const opened = await url.Broker.open();
  const { port1, port2 } = new MessageChannel();
  opened.accept(port1);
  const connected = await client.connect(port2, { clientId: 'gauge' });
  assert.equal(connected.clientId, 'gauge');
  await opened.close();
});

test('The slim entry says what it needs, takes it, and is not deceived by the other file', () => {
  const script = `
    import { readFile } from 'node:fs/promises';
    import { Broker, connect } from 'mqlite/slim';
    const wasm = (name) => readFile(new URL(import.meta.resolve('mqlite/' + name)));
    const said = ({ code, message }) => code + ': ' + message;
    console.log(await Broker.open().catch(said));
    console.log(await connect('ws://127.0.0.1:1').catch(said));
    console.log(await Broker.open({ wasm: wasm('client.wasm') }).catch(said));
    console.log(await connect('ws://127.0.0.1:1', { wasm: wasm('broker.wasm') }).catch(said));
    const broker = await Broker.open({ wasm: wasm('broker.wasm') });
    const { port1, port2 } = new MessageChannel();
    broker.accept(port1);
    const client = await connect(port2, { wasm: wasm('client.wasm') });
    console.log(client.sessionPresent, broker.statistics().clientsConnected);
    await broker.close();`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(stdout, `invalid-options: This entry of the package has no WebAssembly of its own.
invalid-options: This entry of the package has no WebAssembly of its own.
invalid-options: The option "wasm" must be the package's broker.wasm here.
invalid-options: The option "wasm" must be the package's client.wasm here.
false 1
`, stderr);
  assert.equal(status, 0);
});

test('The WebAssembly is unpacked where a Blob makes no stream, as in jsdom', () => {
  const script = `
    delete Blob.prototype.stream;
    const { testBroker } = await import('mqlite/testing');
    const t = await testBroker();
    console.log((await t.connect({ clientId: 'gauge' })).clientId);
    await t.close();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(stdout, 'gauge\n', stderr);
});

test('Each platform has every name that the types promise', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const names = (path) => {
    const [, list] = /export\s*\{([^}]*)\};?\s*$/.exec(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'));
    return list.split(',').map((name) => name.split(' as ').at(-1).trim()).sort();
  };
  const entries = Object.values(exports).filter(({ types }) => types);
  assert.ok(entries.length >= 4);
  for (const { types, default: usual, ...others } of entries) {
    for (const path of Object.values(others)) assert.deepEqual(names(path), names(usual), path);
  }
});

test('Where there is no DecompressionStream the error says so, and which entries need none', () => {
  const script = `
    delete globalThis.DecompressionStream;
    const { connect } = await import('mqlite');
    const { code, message, hint } = await connect('ws://127.0.0.1:1').catch((error) => error);
    console.log([code, message, hint].join('|'));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(stdout, `unsupported|This platform has no DecompressionStream, which unpacks the WebAssembly.|\
Import from mqlite/url or mqlite/slim instead, which take it as a file.
`, stderr);
});
