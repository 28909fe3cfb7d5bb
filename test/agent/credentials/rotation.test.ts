import { describe, expect, it, onTestFinished } from 'vitest';
import { createBridgeClient } from '../../../src/agent/client/bridge-client.ts';
import { NoAnswerError } from '../../../src/agent/client/bridge-errors.ts';
import {
  type Credentials,
  newestKey,
  readCredentials,
  saveCredentials,
} from '../../../src/agent/credentials/credentials.ts';
import { createIdentity } from '../../../src/agent/credentials/identity.ts';
import { isRotationDue, keepKeysFresh, rotateKey } from '../../../src/agent/credentials/rotation.ts';
import { CredentialsRejectedError } from '../../../src/lib/errors.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { wrapKey } from '../../../src/protocol/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { fixture, untilTrue } from '../agent-fixture.ts';

const day = 86_400_000;
const made = Date.parse('2026-11-01T00:00:00.000Z'); // the fake's keys live 90 days from here

const generations = ({ keys }: Pick<Credentials, 'keys'>): number[] =>
  keys.map(({ generation }) => generation);

/** A runner of the fake bridge whose credentials are in a file, and who can be started again from it. */
async function setUp() {
  const given = await fixture({ clock: new ManualClock() });
  const { bridge, transport, clock, log } = given;
  const home = await tempFolder();
  await saveCredentials(home, bridge.credentials());
  const start = async ({ save = (next: Credentials) => saveCredentials(home, next) } = {}) => {
    const credentials = await readCredentials(home);
    if (credentials === null) throw new Error('there is no file');
    const identity = createIdentity(credentials, save);
    const client = createBridgeClient({
      apiBaseUrl: bridge.url,
      keys: identity,
      transport,
      clock,
      log,
      version: '1.2.3',
    });
    const signal = new AbortController().signal;
    return { identity, client, rotate: () => rotateKey(identity, client, { log, signal }) };
  };
  const kept = async () => generations((await readCredentials(home)) ?? { keys: [] });
  return { ...given, start, kept };
}

describe('rotation', () => {
  it('is due at two thirds of the life of the key, while it is not finished, and when it was ordered', async () => {
    const { identity, bridge, client } = await fixture();
    expect(isRotationDue(identity, made + 59 * day)).toBe(false);
    expect(isRotationDue(identity, made + 60 * day)).toBe(true);
    bridge.pollOrders = ['rotate', 'dance'];
    const capabilities = {
      protocol: 1,
      qualinetVersion: '1.2.3',
      platform: 'linux',
      arch: 'x64',
      nodeVersion: '20',
      concurrency: 1,
      browser: { kind: 'none' },
    };
    await client.call('pollLeases', { body: { slots: 1, waitMs: 0, capabilities } });
    expect(isRotationDue(identity, made)).toBe(true);
    await rotateKey(identity, client, {
      log: { ...console, debug() {}, info() {} },
      signal: new AbortController().signal,
    });
    expect(isRotationDue(identity, made)).toBe(false);
    const [old] = identity.credentials.keys;
    if (old === undefined) throw new Error('no key');
    const next = { ...old, ...bridge.keyOf(identity.credentials.runnerId, 3), generation: 3 };
    await identity.replace({ ...identity.credentials, keys: [old, next] });
    expect(isRotationDue(identity, made)).toBe(true);
  });

  it('saves both keys before the new one is used, and drops the old one once the new one worked', async () => {
    const { identity, client, bridge, saved, log } = await fixture({ clock: new ManualClock() });
    await rotateKey(identity, client, { log, signal: new AbortController().signal });
    expect(saved.map(generations)).toEqual([[1, 2], [2]]);
    expect(bridge.of('rotateCredentials')[0]?.keyid).toMatch(/\.1$/);
    expect(bridge.of('runnerSelf')[0]?.keyid).toMatch(/\.2$/);
    const own = newestKey(identity.credentials).secret.reveal();
    expect(own).toBe(bridge.keyOf(identity.credentials.runnerId, 2).secret.reveal());
  });

  it('signs with the old key until the new one has worked', async () => {
    const { start, bridge } = await setUp();
    const { identity, client, rotate } = await start();
    await client.call('runnerSelf');
    bridge.script('runnerSelf', 'drop');
    await expect(rotate()).rejects.toThrow();
    expect(generations(identity.credentials)).toEqual([1, 2]);
    await client.call('runnerSelf');
    expect(bridge.of('runnerSelf').at(-1)?.keyid).toMatch(/\.1$/);
  });

  const restarts: [
    string,
    (bridge: Awaited<ReturnType<typeof setUp>>['bridge']) => void,
    number[],
    boolean,
  ][] = [
    [
      'the answer with the new key was lost',
      (bridge) => bridge.script('rotateCredentials', 'drop-after'),
      [1],
      false,
    ],
    ['the new key could not be tried', (bridge) => bridge.script('runnerSelf', 'drop'), [1, 2], false],
    [
      'the answer to the first use of the new key was lost',
      (bridge) => bridge.script('runnerSelf', 'drop-after'),
      [1, 2],
      true,
    ],
  ];

  it.each(restarts)('goes on after %s, in the same process', async (_, disturb, left, isOldOver) => {
    const { start, bridge, kept } = await setUp();
    const { identity, client, rotate } = await start();
    await client.call('runnerSelf');
    disturb(bridge);
    await expect(rotate()).rejects.toThrow(NoAnswerError);
    expect(await kept()).toEqual(left);
    if (isOldOver) bridge.expired.add(bridge.keyOf(identity.credentials.runnerId, 1).keyid);
    await client.call('runnerSelf');
    await rotate();
    expect(await kept()).toEqual([2]);
    await client.call('runnerSelf');
  });

  it.each(restarts)('goes on after %s, and the process was killed', async (_, disturb, left, isOldOver) => {
    const { start, bridge, kept } = await setUp();
    disturb(bridge);
    await expect((await start()).rotate()).rejects.toThrow(NoAnswerError);
    expect(await kept()).toEqual(left);
    const { identity, client, rotate } = await start();
    if (isOldOver) bridge.expired.add(bridge.keyOf(identity.credentials.runnerId, 1).keyid);
    await client.call('runnerSelf');
    await rotate();
    expect(await kept()).toEqual([2]);
  });

  it('keeps the old key when the disk takes neither state, and begins again', async () => {
    const { start, kept } = await setUp();
    let isFull = true;
    const disk = await start({
      save: async () => {
        if (isFull) throw new Error('ENOSPC');
      },
    });
    await expect(disk.rotate()).rejects.toThrow('ENOSPC');
    await disk.client.call('runnerSelf');
    expect(generations(disk.identity.credentials)).toEqual([1]);
    expect(await kept()).toEqual([1]);
    isFull = false;
    await disk.rotate();
    expect(generations(disk.identity.credentials)).toEqual([2]);
  });

  it('gets over a new key that the bridge does not take, by asking again with the old one', async () => {
    const { start, bridge, kept, log } = await setUp();
    const { identity, client, rotate } = await start();
    await client.call('runnerSelf');
    const { runnerId } = identity.credentials;
    // Another bridge, with another secret, made this one.
    const { keyid } = bridge.keyOf(runnerId, 2);
    bridge.wrap = (publicKey) => wrapKey(new Secret('A'.repeat(43)), publicKey, keyid);
    await expect(rotate()).rejects.toThrow(NoAnswerError);
    await client.call('runnerSelf');
    expect(await kept()).toEqual([1, 2]);
    await expect(rotate()).rejects.toThrow(NoAnswerError);
    expect(generations(identity.credentials)).toEqual([1, 2]);
    bridge.wrap = null;
    await rotate();
    expect(await kept()).toEqual([2]);
    expect(newestKey(identity.credentials).secret.reveal()).toBe(bridge.keyOf(runnerId, 2).secret.reveal());
    expect(log.lines.join()).toContain('renewed');
  });

  it('never drops the only key that may work: the new one is doubted by anybody, the old one is over', async () => {
    const { start, bridge, kept } = await setUp();
    bridge.script('runnerSelf', 'drop-after');
    const { identity, rotate } = await start();
    await expect(rotate()).rejects.toThrow();
    bridge.expired.add(bridge.keyOf(identity.credentials.runnerId, 1).keyid);
    bridge.script('runnerSelf', { problem: 'unknown_key', isSigned: false });
    await expect(rotate()).rejects.toThrow(NoAnswerError);
    expect(await kept()).toEqual([1, 2]);
    await rotate();
    expect(await kept()).toEqual([2]);
  });
});

describe('keeping keys fresh', () => {
  async function keeping(random: () => number = () => 0.5, clock = new ManualClock()) {
    const given = await fixture({ clock, random });
    const { identity, client } = given;
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    const rejected: unknown[] = [];
    const ended = keepKeysFresh(identity, client, {
      ...given,
      signal: ending.signal,
      onRejected: (error) => rejected.push(error),
    });
    return { ...given, ended, ending, rejected };
  }

  it('does not spin through an outage of hours, and renews when the bridge is back, before the key ends', async () => {
    const { bridge, clock, identity, ending, ended } = await keeping();
    const port = Number(new URL(bridge.url).port);
    await bridge.close();
    await clock.advance(68 * day - (clock.nowMs() - made));
    let looks = 0;
    for (let minute = 0; minute < 6 * 60; minute += 1) {
      await untilTrue(() => clock.sleepers === 1);
      if ((clock.waits[0] ?? 0) <= 60_000) looks += 1;
      await clock.advance(60_000);
    }
    expect(looks).toBeLessThan(40);
    await bridge.listen(port);
    await untilTrue(() => clock.sleepers === 1);
    await clock.advance(clock.waits[0] ?? 0);
    await untilTrue(() => generations(identity.credentials)[0] === 2);
    ending.abort();
    await ended;
    expect(clock.sleepers).toBe(0);
  });

  it('obeys an order within a minute and a half, at a moment of its own', async () => {
    const { bridge, clock, identity } = await keeping(() => 0.99);
    await untilTrue(() => clock.sleepers === 1);
    expect(clock.waits[0]).toBe(60_000 * 1.49);
    identity.renewalOrdered(newestKey(identity.credentials));
    expect(bridge.received).toEqual([]);
    await clock.advance(60_000 * 1.49);
    await untilTrue(() => generations(identity.credentials)[0] === 2);
  });

  it.each([2 * 3_600_000, 2 * 365 * day])(
    'makes no key before its time with a clock %d ms ahead',
    async (aheadMs) => {
      const clock = new ManualClock(new Date(made + aheadMs).toISOString());
      const { bridge, identity } = await keeping(() => 0, clock);
      bridge.nowMs = () => clock.nowMs() - aheadMs;
      for (let minutes = 0; minutes < 20; minutes += 1) {
        await untilTrue(() => clock.sleepers === 1);
        await clock.advance(60_000);
      }
      expect(bridge.of('rotateCredentials')).toEqual([]);
      expect(generations(identity.credentials)).toEqual([1]);
      await clock.advance(60 * day);
      await untilTrue(() => generations(identity.credentials)[0] === 2);
    },
  );

  it('renews its key before its end with a clock two years behind', async () => {
    const behindMs = 2 * 365 * day;
    const clock = new ManualClock(new Date(made - behindMs).toISOString());
    const { bridge, client, identity } = await keeping(() => 0, clock);
    bridge.nowMs = () => clock.nowMs() + behindMs;
    await client.call('runnerSelf');
    await clock.advance(61 * day);
    await untilTrue(() => generations(identity.credentials)[0] === 2);
  });

  it('makes no key when the clock of its machine is set while it runs', async () => {
    const clock = new ManualClock('1970-01-02T00:00:00.000Z');
    const { bridge, client, identity } = await keeping(() => 0, clock);
    const offsetMs = made - clock.nowMs();
    let wallWas = 0;
    bridge.nowMs = () => clock.nowMs() + offsetMs - wallWas;
    await client.call('runnerSelf');
    wallWas = offsetMs;
    clock.setWall(clock.nowMs() + offsetMs);
    for (let minutes = 0; minutes < 5; minutes += 1) {
      await untilTrue(() => clock.sleepers === 1);
      await clock.advance(60_000);
    }
    expect(bridge.of('rotateCredentials')).toEqual([]);
    expect(generations(identity.credentials)).toEqual([1]);
  });

  it('tells that the bridge has ended the credentials', async () => {
    const { bridge, clock, identity, rejected } = await keeping();
    await untilTrue(() => clock.sleepers === 1);
    bridge.revoked.add(newestKey(identity.credentials).keyid);
    identity.renewalOrdered(newestKey(identity.credentials));
    await clock.advance(60_000);
    await untilTrue(() => rejected.length === 1);
    expect(rejected[0]).toBeInstanceOf(CredentialsRejectedError);
  });

  it('disturbs nothing under way: requests with both keys are answered all the while', async () => {
    const { bridge, client, identity, log } = await fixture();
    const params = { leaseId: '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f' };
    let isOver = false;
    const beats = Array.from({ length: 4 }, async () => {
      let answered = 0;
      while (!isOver) {
        await client.call('heartbeat', { params, body: { fence: 1, nodeId: null } });
        answered += 1;
      }
      return answered;
    });
    await rotateKey(identity, client, { log, signal: new AbortController().signal });
    bridge.expired.add(bridge.keyOf(identity.credentials.runnerId, 1).keyid);
    const since = bridge.of('heartbeat').length;
    await bridge.until(() => bridge.of('heartbeat').length > since + 20);
    isOver = true;
    expect((await Promise.all(beats)).every((answered) => answered > 0)).toBe(true);
    expect(bridge.of('heartbeat').at(-1)?.keyid).toMatch(/\.2$/);
  });
});
