import { describe, expect, it, onTestFinished } from 'vitest';
import type { Credentials } from '../../../src/agent/credentials/credentials.ts';
import { saveCredentials } from '../../../src/agent/credentials/credentials.ts';
import { version } from '../../../src/lib/version.ts';
import { FakeBridge, workerSecret } from '../../support/fake-bridge.ts';
import { doctorScene } from './doctor-scene.ts';

/** A machine that is paired with a fake bridge; `over` changes its credentials. */
async function paired(over: (bridge: FakeBridge) => Partial<Credentials> = () => ({})) {
  const bridge = await FakeBridge.start();
  onTestFinished(() => bridge.close());
  const scene = await doctorScene();
  const credentials = { ...bridge.credentials(), ...over(bridge) };
  await saveCredentials(scene.home, credentials);
  return { ...scene, bridge, credentials, keyid: credentials.keys[0]?.keyid ?? '' };
}

/** What the bridge says of this runner, with an announcement. */
function selfWith(bridge: FakeBridge, { runnerId }: Credentials, more: object): void {
  const self = {
    runnerId,
    name: 'the runner',
    workspace: 'default',
    labels: [],
    mode: 'self-hosted',
    generation: 1,
  };
  bridge.script('runnerSelf', {
    json: { ...self, notAfter: '2027-01-30T00:00:00.000Z', draining: false, ...more },
  });
}

describe('address', () => {
  it('is the one of the pairing; API_BASE_URL is passed over, --api is not', async () => {
    const { home, look, bridge } = await paired();
    expect((await look('address')).detail).toBe(`${bridge.url} (runner.json)`);
    const other = await doctorScene({ home, env: { API_BASE_URL: 'https://other.example' } });
    expect((await other.look('address')).detail).toContain('API_BASE_URL is not used');
    const asked = await doctorScene({ home, flags: { api: 'http://localhost:1' } });
    expect((await asked.look('address')).detail).toBe('http://localhost:1 (--api)');
  });
});

describe('credentials', () => {
  it('are good until a day, by one signed request', async () => {
    const { look, bridge } = await paired();
    expect(await look('credentials')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(
        /^the bridge knows this runner; key 1 good until 2027-01-30T00:00:00\.000Z \(\d+ h \d+ min\)/,
      ),
    });
    expect(bridge.of('runnerSelf')).toHaveLength(1);
  });

  it('are asked for once, whatever needs the answer', async () => {
    const { look, bridge } = await paired();
    for (const name of ['credentials', 'clock', 'version']) expect((await look(name)).status).toBe('ok');
    expect(bridge.of('runnerSelf')).toHaveLength(1);
  });

  it('are revoked', async () => {
    const { look, bridge, keyid } = await paired();
    bridge.revoked.add(keyid);
    const found = await look('credentials');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('credential_revoked') });
    expect(found.fix).toContain('qualinet pair --force');
    expect((await look('version')).detail).toBe('it needs "Credentials", which failed');
  });

  it('are over', async () => {
    const { look, bridge, keyid } = await paired();
    bridge.expired.add(keyid);
    expect(await look('credentials')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('credential_expired'),
    });
  });

  it('are not known, which nobody signs', async () => {
    const { look, bridge, keyid } = await paired();
    bridge.unknown.add(keyid);
    const found = await look('credentials');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('signature_invalid') });
    expect(found.detail).toContain('qualinet pair --force');
  });

  it('are answered by somebody who cannot sign', async () => {
    const { look, bridge } = await paired();
    bridge.script('runnerSelf', { json: {}, isSigned: false });
    const found = await look('credentials');
    expect(found).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('is not signed by the bridge'),
    });
    expect(found.fix).toContain('captive portal');
  });

  it('are being renewed', async () => {
    const { look } = await paired((bridge) => {
      const runnerId = '6f9c1b1e-4a40-4a56-9b6c-0f3a7a7c2f10';
      const life = { notBefore: '2026-11-01T00:00:00.000Z', notAfter: '2027-05-01T00:00:00.000Z' };
      const keys = [1, 2].map((generation) => ({
        ...bridge.keyOf(runnerId, generation),
        generation,
        ...life,
      }));
      return { runnerId, keys };
    });
    expect((await look('credentials')).detail).toContain('a renewal is under way');
  });

  it('of a runner that its operators drain are a warning', async () => {
    const { look, bridge } = await paired();
    bridge.isDraining = true;
    expect(await look('credentials')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('drain'),
    });
  });

  it('are not tried at another bridge than theirs, nor where there are none', async () => {
    const { home, bridge } = await paired();
    const other = await FakeBridge.start();
    onTestFinished(() => other.close());
    const asked = await doctorScene({ home, flags: { api: other.url } });
    expect(await asked.look('credentials')).toMatchObject({
      status: 'skipped',
      detail: expect.stringContaining(bridge.url),
    });
    expect(other.of('runnerSelf')).toEqual([]);
    const unpaired = await doctorScene({ flags: { api: other.url } });
    expect(await unpaired.look('credentials')).toMatchObject({
      status: 'skipped',
      fix: expect.stringContaining('qualinet pair'),
    });
    const env = { WORKER_SECRET: workerSecret.reveal(), API_BASE_URL: other.url };
    expect(await (await doctorScene({ env })).look('credentials')).toMatchObject({
      status: 'skipped',
      fix: 'qualinet start',
    });
    expect(other.of('enrol')).toEqual([]);
  });
});

describe('clock', () => {
  it.each([
    [0, 'ok', "as the bridge's within"],
    [45_000, 'warning', /^4\d s behind the bridge's, by its signed answer/],
    [-45_000, 'warning', /^4\d s ahead of the bridge's/],
    [3_600_000, 'failed', /^60 min behind/],
    [-3_600_000, 'failed', /^60 min ahead of/],
  ])('of a bridge that is %d ms ahead is %s', async (aheadMs, status, detail) => {
    const { look, bridge } = await paired();
    bridge.nowMs = () => Date.now() + aheadMs;
    const found = await look('clock');
    expect(found).toMatchObject({
      status,
      detail: typeof detail === 'string' ? expect.stringContaining(detail) : expect.stringMatching(detail),
    });
    expect(found.detail).toContain('signatures are good within 60 s');
    if (status !== 'ok') expect(found.fix).toContain('timedatectl set-ntp true');
  });
});

describe('version', () => {
  it('is served', async () => {
    const { look } = await paired();
    expect(await look('version')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining(`${version}, protocol 1`),
    });
  });

  it('will end, or has ended', async () => {
    const soon = await paired();
    selfWith(soon.bridge, soon.credentials, {
      notice: { minVersion: '99.0.0', from: '2099-01-01T00:00:00.000Z' },
    });
    expect(await soon.look('version')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('99.0.0'),
      fix: expect.stringContaining('npm install -g'),
    });
    const over = await paired();
    selfWith(over.bridge, over.credentials, {
      notice: { minVersion: '99.0.0', from: '2020-01-01T00:00:00.000Z' },
    });
    expect(await over.look('version')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('since 2020-01-01'),
    });
  });
});

describe('control', () => {
  it('opens, and is closed again', async () => {
    const { look, bridge } = await paired();
    expect(await look('control')).toMatchObject({ status: 'ok', detail: expect.stringMatching(/^open in/) });
    expect(bridge.controlStreams).toBe(1);
  });

  it('is refused, or kept back by something in between', async () => {
    const refused = await paired();
    refused.bridge.script('control', { raw: { status: 403, type: 'text/html', body: '<html>' } });
    const found = await refused.look('control');
    expect(found).toMatchObject({ status: 'warning', detail: expect.stringContaining('403') });
    expect(found.fix).toContain('text/event-stream');
    const held = await paired();
    held.bridge.script('control', 'hang');
    expect(await held.look('control')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('nothing came through'),
    });
  });
});
