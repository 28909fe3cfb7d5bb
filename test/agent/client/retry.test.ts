import { describe, expect, it } from 'vitest';
import { NoAnswerError } from '../../../src/agent/client/bridge-errors.ts';
import { type RetryOptions, withRetry } from '../../../src/agent/client/retry.ts';
import { createPollWait } from '../../../src/agent/poll-wait.ts';
import { LeaseLostError } from '../../../src/lib/errors.ts';
import { seededRandom } from '../../support/seeded-random.ts';

async function waitsOf(errors: Error[], options: RetryOptions = {}, random = () => 1) {
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  const clock = { nowMs: () => 0, monotonicMs: () => 0, monotonicWithSleepMs: () => 0, sleep };
  const left = [...errors];
  const outcome = await withRetry(
    async () => {
      const error = left.shift();
      if (error !== undefined) throw error;
      return 'done';
    },
    options,
    { clock, random },
  ).catch((error: unknown) => error);
  return { waits, outcome };
}

const no = () => new NoAnswerError('no');

describe('the retry policy', () => {
  it('waits up to 1 s, doubling up to 30 s, at random', async () => {
    const { waits, outcome } = await waitsOf(Array.from({ length: 8 }, no));
    expect(outcome).toBe('done');
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect((await waitsOf([no()], {}, () => 0.25)).waits).toEqual([250]);
  });

  it('waits at least what Retry-After asks for, up to 5 min', async () => {
    const busy = (ms: number) => new NoAnswerError('busy', { retryAfterMs: ms });
    expect((await waitsOf([busy(7_000), busy(3_600_000)])).waits).toEqual([8_000, 302_000]);
  });

  it.each([null, 5_000])(
    'spreads a fleet whose bridge was away, told to come back after %s ms',
    async (retryAfterMs) => {
      const random = seededRandom(7);
      const upAtMs = 60_000;
      const secondOf = new Map<number, number>();
      for (let runner = 0; runner < 1_000; runner += 1) {
        let nowMs = 0;
        const sleep = async (ms: number): Promise<void> => {
          nowMs += ms;
        };
        await withRetry(
          async () => {
            if (nowMs < upAtMs) throw new NoAnswerError('away', { retryAfterMs });
          },
          {},
          { random, clock: { nowMs: () => 0, monotonicMs: () => 0, monotonicWithSleepMs: () => 0, sleep } },
        );
        const second = Math.floor(nowMs / 1_000);
        secondOf.set(second, (secondOf.get(second) ?? 0) + 1);
      }
      // A thousand that come back together would be 1,000 in one second.
      expect(Math.max(...secondOf.values())).toBeLessThan(120);
    },
  );

  it('repeats nothing that an answer decided', async () => {
    const lost = new LeaseLostError('gone');
    expect(await waitsOf([lost])).toEqual({ waits: [], outcome: lost });
  });

  it('ends with the last error when its tries are used up, and with the reason of its signal', async () => {
    const last = no();
    expect(await waitsOf([no(), last], { retries: 1 })).toMatchObject({ waits: [1_000], outcome: last });
    const reason = new Error('stop');
    expect((await waitsOf([no()], { signal: AbortSignal.abort(reason) })).outcome).toBe(reason);
  });

  it('keeps a result that comes in together with the abort', async () => {
    const abort = new AbortController();
    const task = async () => {
      abort.abort();
      return 'a lease';
    };
    const clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      monotonicWithSleepMs: () => 0,
      sleep: async () => {},
    };
    expect(await withRetry(task, { signal: abort.signal }, { clock, random: () => 0 })).toBe('a lease');
  });
});

describe('the wait of a poll', () => {
  it('shrinks to 0.8 of the time after which it was cut, not below 5 s, and grows back', () => {
    const wait = createPollWait();
    expect(wait.ms).toBe(25_000);
    wait.cut(300); // nobody listened: no cut
    expect(wait.ms).toBe(25_000);
    wait.cut(10_000);
    expect(wait.ms).toBe(8_000);
    wait.cut(4_000);
    expect(wait.ms).toBe(5_000);
    for (let answers = 0; answers < 19; answers += 1) wait.answered();
    expect(wait.ms).toBe(5_000);
    wait.answered();
    expect(wait.ms).toBe(10_000);
    for (let answers = 0; answers < 80; answers += 1) wait.answered();
    expect(wait.ms).toBe(25_000);
  });

  it('shrinks also where connections are dropped without a word, and polls fail after their time only', () => {
    const wait = createPollWait();
    for (const shorter of [20_000, 16_000, 12_800]) {
      wait.cut(wait.ms + 10_000);
      expect(wait.ms).toBe(shorter);
    }
  });
});
