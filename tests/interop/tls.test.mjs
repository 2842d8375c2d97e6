// `mqlite serve` within TLS, as MQTT.js and mosquitto's clients speak it, with a certificate that is made here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { startServer } from './server.mjs';

const run = promisify(execFile);

let folder, certificate, server;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mqlite-tls-'));
  certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate]);
  server = await startServer({ secure: true, options: ['--certificate', certificate, '--key', key] });
});

after(async () => {
  assert.equal(await server.stop(), 0);
  await rm(folder, { recursive: true });
});

for (const scheme of ['mqtt', 'ws']) {
  test(`MQTT.js trusts the certificate, and only then connects, over ${scheme}s://`, async () => {
    const ca = await readFile(certificate);
    const client = await mqtt.connectAsync(server[scheme], { protocolVersion: 5, ca });
    const heard = new Promise((resolve) => client.on('message', (topic, payload) => resolve(payload.length)));
    await client.subscribeAsync('large', { qos: 1 });
    await client.publishAsync('large', Buffer.alloc(500_000, 7), { qos: 1 });
    assert.equal(await heard, 500_000);
    await client.endAsync();
    const distrustful = mqtt.connectAsync(server[scheme], { protocolVersion: 5, reconnectPeriod: 0 }, false);
    await assert.rejects(distrustful, /self.signed|DEPTH_ZERO_SELF_SIGNED_CERT/i);
  });
}

for (const version of ['311', '5']) {
  test(`mosquitto's clients trust the certificate, and only then connect, -V ${version}`, async () => {
    const { hostname, port } = new URL(server.mqtt);
    const publish = ['-h', hostname, '-p', port, '-V', version, '-t', 'kept', '-q', '2', '-r', '-m', version];
    await run('mosquitto_pub', ['--cafile', certificate, ...publish]);
    const listen = ['-h', hostname, '-p', port, '-V', version, '-t', 'kept', '-C', '1'];
    const { stdout } = await run('mosquitto_sub', ['--cafile', certificate, ...listen]);
    assert.equal(stdout, `${version}\n`);
    await assert.rejects(run('mosquitto_pub', publish), 'without TLS');
    await assert.rejects(run('mosquitto_pub', ['--tls-use-os-certs', ...publish]), 'with the authorities of the system');
  });
}
