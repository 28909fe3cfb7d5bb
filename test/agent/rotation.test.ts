import { describe, expect, it } from 'vitest';
import { newestKey } from '../../src/agent/credentials.ts';
import { isRotationDue, rotateKey } from '../../src/agent/rotation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { fixture } from './agent-fixture.ts';

const day = 86_400_000;
const made = Date.parse('2026-11-01T00:00:00.000Z'); // the fake's keys live 90 days from here

describe('rotation', () => {
  it('is due at two thirds of the life of the key, and while it is not finished', async () => {
    const { identity, bridge } = await fixture();
    expect(isRotationDue(identity, made + 59 * day)).toBe(false);
    expect(isRotationDue(identity, made + 60 * day)).toBe(true);
    const [old] = identity.credentials.keys;
    const { runnerId } = identity.credentials;
    if (old === undefined) throw new Error('no key');
    const next = { ...old, ...bridge.keyOf(runnerId, 2), generation: 2 };
    await identity.replace({ ...identity.credentials, keys: [old, next] });
    expect(isRotationDue(identity, made)).toBe(true);
  });

  it('saves both keys before the new one is used, and drops the old one once the new one worked', async () => {
    const { identity, client, bridge, saved, log } = await fixture({ clock: new ManualClock() });
    await rotateKey(identity, client, { log, signal: new AbortController().signal });
    expect(saved.map(({ keys }) => keys.map(({ generation }) => generation))).toEqual([[1, 2], [2]]);
    expect(bridge.of('rotateCredentials')[0]?.keyid).toMatch(/\.1$/);
    expect(bridge.of('runnerSelf')[0]?.keyid).toMatch(/\.2$/);
    const own = newestKey(identity.credentials).secret.reveal();
    expect(own).toBe(bridge.keyOf(identity.credentials.runnerId, 2).secret.reveal());
  });

  it('goes on where it stopped: after a lost answer, and after the new key could not be tried', async () => {
    const { identity, client, bridge, saved, log } = await fixture({ clock: new ManualClock() });
    const rotate = () => rotateKey(identity, client, { log, signal: new AbortController().signal });
    bridge.script('rotateCredentials', 'drop-after');
    await expect(rotate()).rejects.toThrow();
    expect(saved).toEqual([]);
    bridge.script('runnerSelf', 'drop');
    await expect(rotate()).rejects.toThrow();
    expect(identity.credentials.keys).toHaveLength(2);
    await rotate();
    expect(identity.credentials.keys.map(({ generation }) => generation)).toEqual([2]);
    expect(bridge.of('rotateCredentials')).toHaveLength(2);
  });
});
