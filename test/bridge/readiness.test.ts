import { describe, expect, it } from 'vitest';
import { publicReason } from '../../src/bridge/public-reason.ts';
import { createReadiness } from '../../src/bridge/readiness.ts';
import type { Log } from '../../src/lib/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

function setUp(checks: Record<string, () => Promise<void>>) {
  const clock = new ManualClock();
  const told: string[] = [];
  const tell =
    (level: string): Log['info'] =>
    (message, { dependency } = {}) =>
      told.push(`${level} ${dependency}: ${message}`);
  const log: Log = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
  const dependencies = Object.entries(checks).map(([name, check]) => ({ name, check }));
  return { clock, told, readiness: createReadiness({ dependencies, clock, log }) };
}

const works = async (): Promise<void> => {};
const fails = async (): Promise<void> => {
  throw new Error('it is broken');
};
const hangs = (): Promise<void> => new Promise(() => {});

describe('readiness', () => {
  it('names what works and what does not', async () => {
    const { readiness } = setUp({ postgresql: works, intake: fails });
    expect(await readiness.look()).toEqual({
      isClosing: false,
      dependencies: [
        { name: 'postgresql', problem: null },
        { name: 'intake', problem: 'it is broken' },
      ],
    });
  });

  it('waits two seconds for an answer, for all at once, and asks none again that still hangs', async () => {
    let asked = 0;
    const { readiness, clock } = setUp({
      redis: () => {
        asked += 1;
        return hangs();
      },
      intake: hangs,
    });
    for (let look = 0; look < 3; look += 1) {
      const looked = readiness.look();
      await clock.advance(2_000);
      const problem = 'no answer within 2 s';
      expect(await looked).toMatchObject({
        dependencies: [
          { name: 'redis', problem },
          { name: 'intake', problem },
        ],
      });
      await clock.advance(1_000);
    }
    expect(asked).toBe(1);
    expect(clock.sleepers).toBe(0);
  });

  it('asks once a second however often it is asked', async () => {
    let asked = 0;
    const { readiness, clock } = setUp({
      redis: async () => {
        asked += 1;
      },
    });
    await Promise.all(Array.from({ length: 100 }, () => readiness.look()));
    await clock.advance(999);
    await readiness.look();
    expect(asked).toBe(1);
    await clock.advance(1);
    await readiness.look();
    expect(asked).toBe(2);
  });

  it('tells the log when something fails and when it works again, not each time it is asked', async () => {
    let check = works;
    const { readiness, clock, told } = setUp({ redis: () => check() });
    for (const now of [works, fails, fails, works, works, fails]) {
      check = now;
      await readiness.look();
      await clock.advance(1_000);
    }
    expect(told).toEqual([
      'warn redis: not ready: something the bridge needs does not work',
      'info redis: what the bridge needs works again',
      'warn redis: not ready: something the bridge needs does not work',
    ]);
  });

  it('says that the bridge is closing, without asking anything', async () => {
    const { readiness } = setUp({ redis: hangs });
    readiness.close();
    expect(await readiness.look()).toEqual({ isClosing: true, dependencies: [] });
  });
});

describe('a reason for everybody', () => {
  const coded = (code: string, message: string) => Object.assign(new Error(message), { code });
  it.each<[Error, string]>([
    [coded('ECONNREFUSED', 'connect ECONNREFUSED 10.1.2.3:5432'), 'error ECONNREFUSED'],
    [coded('ENOTFOUND', 'getaddrinfo ENOTFOUND db.internal'), 'error ENOTFOUND'],
    [coded('28P01', 'password authentication failed for user "backend"'), 'error 28P01'],
    [
      new Error('Failed query: select 1\nparams: ', { cause: new Error('Connection terminated') }),
      'Connection terminated',
    ],
    [new Error('cannot use redis://:hunter2@cache.internal:6379/0 now'), 'cannot use … now'],
    [new Error('no way to cache.internal:6379, 10.0.0.7 or [fd00::7]:6379'), 'no way to …, … or …'],
    [new Error('the worker of test-queue is not running'), 'the worker of test-queue is not running'],
    [new Error(`long\n${'x'.repeat(1_000)}`), `long ${'x'.repeat(195)}`],
  ])('of %s is %s', (error, reason) => {
    expect(publicReason(error)).toBe(reason);
  });
});
