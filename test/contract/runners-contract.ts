import { describe, expect, it } from 'vitest';
import { createCode, maxOpenCodes, useCode } from '../../src/bridge/runners/pairing-codes.ts';
import { findRunnerByKey, makeKey, markKeyUsed, rotateKey } from '../../src/bridge/runners/runner-keys.ts';
import { drainRunner, revokeRunner } from '../../src/bridge/runners/runners.ts';
import { countingGuesses } from '../../src/bridge/runners/wrong-guesses.ts';
import { defaultTiming } from '../../src/bridge/timing.ts';
import { newExchangeKeys } from '../../src/protocol/keys.ts';
import type { Store } from './open-store.ts';

/** Codes, keys and guesses. */
export function runnersContract(store: () => Store): void {
  const codes = () => ({ ...store().deps, peppers: [store().pepper] as const });
  const keys = () => ({ ...store().deps, workerSecrets: [store().workerSecret] as const });
  const newCode = (more: object = {}) => createCode(codes(), { workspace: store().workspace, ...more }, true);

  describe('a pairing code', () => {
    it('has six digits, is used once, and gives its workspace and labels', async () => {
      const { workspace } = store();
      const { code } = await newCode({ labels: ['eu'] });
      expect(code).toMatch(/^\d{6}$/);
      expect(await useCode(codes(), code, false)).toEqual({ workspace, labels: ['eu'], autoApprove: true });
      expect(await useCode(codes(), code, false)).toBeNull();
    });

    it('is used once even when two use it at once', async () => {
      const { code } = await newCode();
      const uses = await Promise.all([1, 2, 3].map(() => useCode(codes(), code, false)));
      expect(uses.filter((use) => use !== null)).toHaveLength(1);
    });

    it('ends after five minutes', async () => {
      const { code } = await newCode();
      await store().clock.advance(defaultTiming.pairingCodeMs);
      expect(await useCode(codes(), code, false)).toBeNull();
    });

    it('of the managed kind is refused to others, and the other way round', async () => {
      const managed = (await newCode({ managed: true })).code;
      expect(await useCode(codes(), managed, false)).toBeNull();
      expect(await useCode(codes(), managed, true)).not.toBeNull();
      expect(await useCode(codes(), (await newCode()).code, true)).toBeNull();
    });

    it('is one of few in its workspace', async () => {
      for (let made = 0; made < maxOpenCodes; made += 1) await newCode();
      await expect(newCode()).rejects.toMatchObject({ code: 'too_many_attempts' });
      await store().clock.advance(defaultTiming.pairingCodeMs);
      await expect(newCode()).resolves.toBeDefined();
    });

    it('is not in the database', async () => {
      const { code } = await newCode();
      const rows = JSON.stringify(
        await store().deps.db.execute(
          `select * from qualinet.pairing_codes where workspace = '${store().workspace}'`,
        ),
      );
      expect(rows).toContain(store().workspace);
      expect(rows).not.toContain(code);
    });
  });

  describe('wrong guesses', () => {
    const guess = (address: string) => countingGuesses(store().deps, address, async () => null);

    it('are limited for each address, and right ones are not counted', async () => {
      await store().clock.advance(3_600_000);
      for (let right = 0; right < 10; right += 1) {
        expect(await countingGuesses(store().deps, '10.0.0.1', async () => 'right')).toBe('right');
      }
      for (let wrong = 0; wrong < 5; wrong += 1) expect(await guess('10.0.0.1')).toBeNull();
      await expect(guess('10.0.0.1')).rejects.toMatchObject({
        code: 'too_many_attempts',
        retryAfterMs: 600_000,
      });
      expect(await guess('10.0.0.2')).toBeNull();
      await store().clock.advance(600_000);
      expect(await guess('10.0.0.1')).toBeNull();
    });

    it('are limited overall, whatever the address', async () => {
      await store().clock.advance(7_200_000);
      for (let wrong = 0; wrong < 20; wrong += 1) expect(await guess(`10.1.0.${wrong}`)).toBeNull();
      await expect(guess('10.2.0.1')).rejects.toMatchObject({
        code: 'too_many_attempts',
        retryAfterMs: 60_000,
      });
      await store().clock.advance(60_000);
      expect(await guess('10.2.0.1')).toBeNull();
    });

    it('made all at once gain nothing', async () => {
      await store().clock.advance(10_800_000);
      let tries = 0;
      const answers = await Promise.allSettled(
        Array.from({ length: 15 }, () =>
          countingGuesses(store().deps, '10.3.0.1', async () => {
            tries += 1;
            return null;
          }),
        ),
      );
      expect(tries).toBeLessThanOrEqual(5);
      expect(answers.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(10);
    });
  });

  describe("a runner's key", () => {
    it('is known from the moment it is made until its end', async () => {
      const { clock, deps } = store();
      const { runnerId } = await store().runner();
      expect(await findRunnerByKey(deps, runnerId, 1)).toMatchObject({ isOver: false, isRevoked: false });
      expect(await findRunnerByKey(deps, runnerId, 2)).toBeNull();
      await clock.advance(defaultTiming.keyLifeMs);
      expect(await findRunnerByKey(deps, runnerId, 1)).toMatchObject({ isOver: true });
    });

    it('lives on for a grace after the first use of the next one, not before', async () => {
      const { clock, deps } = store();
      const { runnerId } = await store().runner();
      await makeKey(keys(), runnerId, 2);
      await clock.advance(defaultTiming.keyGraceMs);
      expect(await findRunnerByKey(deps, runnerId, 1)).toMatchObject({ isOver: false });
      await markKeyUsed(deps, { runnerId, generation: 2 }, 'mark');
      await clock.advance(defaultTiming.keyGraceMs - 1);
      expect(await findRunnerByKey(deps, runnerId, 1)).toMatchObject({ isOver: false });
      await clock.advance(1);
      expect(await findRunnerByKey(deps, runnerId, 1)).toMatchObject({ isOver: true });
      expect(await findRunnerByKey(deps, runnerId, 2)).toMatchObject({ isOver: false, isUsed: true });
    });

    it('rotates to the same next generation until that is used, then the old one may not rotate', async () => {
      const { runnerId } = await store().runner();
      const caller = await findRunnerByKey(store().deps, runnerId, 1);
      if (caller === null) throw new Error('the runner has no key');
      const { publicKey } = newExchangeKeys();
      const first = await rotateKey(keys(), caller, publicKey);
      const again = await rotateKey(keys(), caller, publicKey);
      expect([first.generation, again.generation]).toEqual([2, 2]);
      expect(again.notAfter).toBe(first.notAfter);
      await markKeyUsed(store().deps, { runnerId, generation: 2 }, 'mark');
      await expect(rotateKey(keys(), caller, publicKey)).rejects.toMatchObject({
        code: 'credential_expired',
      });
    });

    it('of a revoked runner is known as revoked, and it is granted nothing', async () => {
      const { deps } = store();
      const taker = await store().runner();
      await store().submit();
      await revokeRunner(deps, taker.runnerId);
      expect(await findRunnerByKey(deps, taker.runnerId, 1)).toMatchObject({ isRevoked: true });
      expect(await taker.grant()).toEqual([]);
    });
  });

  it('a draining runner is granted nothing until it is told to go on', async () => {
    const { deps, submit, runner } = store();
    await submit();
    const taker = await runner();
    await drainRunner(deps, taker.runnerId, true);
    expect(await taker.grant()).toEqual([]);
    await drainRunner(deps, taker.runnerId, false);
    expect(await taker.grant()).toHaveLength(1);
  });
}
