import { describe, expect, it, onTestFinished } from 'vitest';
import { describeHost } from '../../../src/agent/credentials/host.ts';
import { type PairingRequest, pairRunner } from '../../../src/agent/credentials/pairing.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import {
  BridgeUnavailableError,
  CancelledError,
  CredentialsRejectedError,
  EnvironmentError,
} from '../../../src/lib/errors.ts';
import { checkWord } from '../../../src/protocol/keys.ts';
import { type FakeCode, managedSecret } from '../../support/fake-bridge.ts';
import { fixture } from '../agent-fixture.ts';

async function pairing(
  code: FakeCode | null,
  over: Partial<PairingRequest> = {},
  given: { clock?: Clock } = {},
) {
  const base = await fixture(given);
  const { bridge, transport, clock, log } = base;
  if (code !== null) bridge.codes.set('012345', code);
  const story: string[] = [];
  const abort = new AbortController();
  const pair = () =>
    pairRunner(
      {
        code: '012345',
        apiBaseUrl: bridge.url,
        host: describeHost('1.2.3'),
        name: null,
        labels: [],
        managedPairSecret: null,
        ...over,
      },
      {
        redeemed: ({ checkWord: word }) => story.push(`redeemed ${word}`),
        waiting: () => story.push('waiting'),
        otherAddress: (url) => story.push(`other address ${url}`),
      },
      { transport, clock, random: () => 0, log, version: '1.2.3', signal: abort.signal },
    );
  return { ...base, pair, story, abort };
}

describe('pairing', () => {
  it('redeems the code with its leading zero, tells the check word, and ends with the key the bridge has', async () => {
    const { bridge, pair, story } = await pairing({ claims: ['approved'] }, { name: 'ada', labels: ['gpu'] });
    const credentials = await pair();
    const [redeem] = bridge.of('redeemCode');
    expect(redeem?.body).toMatchObject({ code: '012345', name: 'ada', labels: ['gpu'] });
    const { publicKey } = (redeem?.body ?? {}) as { publicKey: string };
    expect(story).toEqual([`redeemed ${checkWord(credentials.runnerId, publicKey)}`]);
    const [key] = credentials.keys;
    expect(key?.secret.reveal()).toBe(bridge.keyOf(credentials.runnerId, 1).secret.reveal());
    expect(credentials).toMatchObject({ apiBaseUrl: bridge.url, workspace: 'default', labels: ['gpu'] });
  });

  it('waits while the operator has not decided, and says so once', async () => {
    const { bridge, pair, story } = await pairing({ claims: ['pending', 'pending', 'approved'] });
    await pair();
    expect(bridge.of('claimCredentials')).toHaveLength(3);
    expect(story.slice(1)).toEqual(['waiting']);
  });

  it.each([-2, 2])('works with a clock that is %d hours off, by a code and managed', async (hours) => {
    for (const managed of [false, true]) {
      const code: FakeCode = { claims: ['pending', 'approved'], managed };
      const { bridge, pair } = await pairing(code, managed ? { managedPairSecret: managedSecret } : {});
      bridge.nowMs = () => Date.now() + hours * 3_600_000;
      expect((await pair()).keys).toHaveLength(1);
    }
  });

  it.each<[FakeCode | null, string]>([
    [null, 'wrong, was used already, or has expired'],
    [{ claims: ['pending', 'pairing_denied'] }, 'denied'],
    [{ claims: ['pairing_expired'] }, 'in time'],
    [{ claims: ['approved'], managed: true }, 'wrong, was used already, or has expired'],
  ])('that is refused (%j) says why and what to do', async (code, text) => {
    const { pair } = await pairing(code);
    const error = await pair().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CredentialsRejectedError);
    expect(error).toMatchObject({
      message: expect.stringContaining(text),
      hint: expect.stringContaining('new code'),
    });
  });

  it('gives up by itself when the bridge never decides, like one that the bridge has ended', async () => {
    let sleptMs = 0;
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => systemClock.monotonicMs() + sleptMs,
      // Time-outs of requests go by the clock on the wall; pauses between them take no time here.
      sleep(ms, signal) {
        if (ms < 1_000) sleptMs += 10 * 60_000;
        return systemClock.sleep(ms < 1_000 ? 0 : ms, signal);
      },
    };
    const { pair } = await pairing({ claims: ['pending'] }, {}, { clock });
    await expect(pair()).rejects.toThrow(CredentialsRejectedError);
    expect(sleptMs).toBeGreaterThanOrEqual(60 * 60_000);
  });

  it('survives a network that is lost for minutes, and says so once', async () => {
    const { bridge, pair, log } = await pairing({ claims: ['pending', 'approved'] });
    bridge.script('claimCredentials', ...Array.from({ length: 40 }, () => 'drop' as const));
    expect((await pair()).keys).toHaveLength(1);
    expect(log.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  });

  it.each([{ redisUrl: 'redis://h' }, { bootstrap: { redis_url: 'x' } }])(
    'refuses an answer with a Redis address (%j)',
    async (extra) => {
      const { pair } = await pairing({ claims: ['approved'], extra });
      await expect(pair()).rejects.toThrow(/holds a Redis address/);
    },
  );

  it('refuses when the bridge received another public key: somebody is in between', async () => {
    const { bridge, pair } = await pairing({ claims: ['approved'] });
    bridge.script('redeemCode', {
      json: {
        runnerId: '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f',
        claimToken: 'a'.repeat(43),
        checkWord: 'babab-babab',
        workspace: 'default',
        pollAfterMs: 5,
        expiresAt: '2030-01-01T00:00:00.000Z',
      },
    });
    await expect(pair()).rejects.toThrow(EnvironmentError);
    expect(bridge.of('claimCredentials')).toEqual([]);
  });

  it('keeps the address the bridge calls itself by, and says that it differs', async () => {
    const { pair, story } = await pairing({ claims: ['approved'], apiBaseUrl: 'https://public.test/base/' });
    expect((await pair()).apiBaseUrl).toBe('https://public.test/base');
    expect(story.at(-1)).toBe('other address https://public.test/base');
  });

  it('asks again for the key after a lost answer, but redeems the code only once', async () => {
    const { bridge, pair } = await pairing({ claims: ['approved'] });
    bridge.script('claimCredentials', 'drop-after', 'drop');
    await pair();
    expect(bridge.of('claimCredentials')).toHaveLength(3);
    const lost = await pairing({ claims: ['approved'] });
    lost.bridge.script('redeemCode', 'drop');
    await expect(lost.pair()).rejects.toThrow(BridgeUnavailableError);
    expect(lost.bridge.of('redeemCode')).toHaveLength(1);
  });

  it('proves knowledge of the managed secret without sending it', async () => {
    const { bridge, pair } = await pairing(
      { claims: ['approved'], managed: true },
      { managedPairSecret: managedSecret },
    );
    await pair();
    const [redeem] = bridge.of('redeemManagedCode');
    expect(redeem?.keyid).toBe('mp1');
    expect(JSON.stringify(redeem)).not.toContain(managedSecret.reveal());
  });

  it('ends when it is stopped', async () => {
    const { bridge, pair, abort } = await pairing({ claims: ['pending'] });
    const pairingUnderWay = pair();
    onTestFinished(() => abort.abort());
    await bridge.until(() => bridge.of('claimCredentials').length > 1);
    abort.abort(new CancelledError('stopped'));
    await expect(pairingUnderWay).rejects.toThrow(CancelledError);
  });
});
