import { describe, expect, it } from 'vitest';
import { type Check, failed, ok, skipped, warning } from '../../../src/cli/checks/check.ts';
import { checkTable, withNeeds } from '../../../src/cli/checks/check-table.ts';
import type { CheckResult } from '../../../src/cli/checks/report.ts';
import { runChecks } from '../../../src/cli/checks/run-checks.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { EnvironmentError } from '../../../src/lib/errors.ts';
import { doctorScene } from './doctor-scene.ts';

function check(name: string, run: Check['run'], more: Partial<Check> = {}): Check {
  return { name, title: `The ${name}`, needs: [], fix: `mend the ${name}`, run, ...more };
}

async function run(checks: readonly Check[], { isDeep = false, signal = new AbortController().signal } = {}) {
  const { scene } = await doctorScene();
  const told: CheckResult[] = [];
  const onResult = (result: CheckResult): void => void told.push(result);
  const ended = runChecks(checks, scene, { clock: systemClock, isDeep, signal, onResult });
  return { told, ended };
}

describe('the table of checks', () => {
  it.each(checkTable.map((entry) => ({ ...entry })))(
    '$name has a title, advice, and needs only what stands before it',
    (entry) => {
      expect(entry.name).toMatch(/^[a-z]+$/);
      expect(entry.title).not.toBe('');
      expect(entry.fix).not.toBe('');
      const before = checkTable.slice(
        0,
        checkTable.findIndex(({ name }) => name === entry.name),
      );
      for (const need of entry.needs) expect(before.map(({ name }) => name)).toContain(need);
    },
  );

  it('names each check once', () => {
    expect(new Set(checkTable.map(({ name }) => name)).size).toBe(checkTable.length);
  });

  it('gives a check together with all that it needs', () => {
    expect(withNeeds(new Set(['tls'])).map(({ name }) => name)).toEqual([
      'address',
      'proxy',
      'dns',
      'connection',
      'tls',
    ]);
  });
});

describe('running checks', () => {
  it('tells them in the order of the table, each as soon as those before it have ended', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { told, ended } = await run([
      check('first', async () => ok('1')),
      check('slow', async () => {
        await held;
        return ok('2');
      }),
      check('quick', async () => {
        release();
        return ok('3');
      }),
    ]);
    await ended;
    expect(told.map(({ name }) => name)).toEqual(['first', 'slow', 'quick']);
    expect(told.every(({ durationMs }) => durationMs >= 0)).toBe(true);
  });

  it('skips a check whose need failed or was skipped, and names the first cause', async () => {
    const { told, ended } = await run([
      check('wire', async () => failed('cut', 'mend it')),
      check('lamp', async () => ok('on'), { needs: ['wire'] }),
      check('light', async () => ok('bright'), { needs: ['lamp'] }),
      check('sun', async () => skipped('cannot be known: it is night')),
      check('shadow', async () => ok('long'), { needs: ['sun'] }),
      check('moon', async () => warning('thin', 'wait'), {}),
      check('tide', async () => ok('low'), { needs: ['moon'] }),
    ]);
    await ended;
    expect(told.map(({ status }) => status)).toEqual([
      'failed',
      'skipped',
      'skipped',
      'skipped',
      'skipped',
      'warning',
      'ok',
    ]);
    expect(told[1]?.detail).toBe('it needs "The wire", which failed');
    expect(told[2]?.detail).toBe('it needs "The wire", which failed');
    expect(told[4]?.detail).toBe('cannot be known: it is night');
  });

  it('reports a check that crashes as a bug, and ends no other', async () => {
    const { told, ended } = await run([
      check('broken', async () => {
        throw new TypeError('undefined is not a function');
      }),
      check('other', async () => ok('fine')),
    ]);
    await ended;
    expect(told[0]).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('this is a bug in qualinet: undefined is not a function'),
    });
    expect(told[0]?.fix).toContain('qualinet doctor --json');
    expect(told[1]?.status).toBe('ok');
  });

  it('takes an expected error for a failure, with its hint or the advice of the check', async () => {
    const { told, ended } = await run([
      check('hinted', async () => {
        throw new EnvironmentError('no', { hint: 'do this', problems: ['a', 'b'] });
      }),
      check('bare', async () => {
        throw new EnvironmentError('no');
      }),
    ]);
    await ended;
    expect(told[0]).toMatchObject({ status: 'failed', detail: 'no; a; b', fix: 'do this' });
    expect(told[1]?.fix).toBe('mend the bare');
  });

  it('gives up a check that takes too long, and tells it so', async () => {
    let reason: unknown = null;
    const hang: Check['run'] = (_scene, signal) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return new Promise(() => {});
    };
    const { told, ended } = await run([
      check('stuck', hang, { limitMs: 20 }),
      check('other', async () => ok('fine')),
    ]);
    await ended;
    expect(told[0]).toMatchObject({
      status: 'failed',
      fix: 'mend the stuck',
      detail: 'nothing came of it within 0.02 s',
    });
    expect(String(reason)).toContain('within 0.02 s');
    expect(told[1]?.status).toBe('ok');
  });

  it('leaves what takes a minute to --deep', async () => {
    const deep = check('slow', async () => ok('measured'), { isDeep: true });
    const shallow = await run([deep]);
    await shallow.ended;
    expect(shallow.told[0]).toMatchObject({ status: 'skipped', fix: 'qualinet doctor --deep' });
    const thorough = await run([deep], { isDeep: true });
    await thorough.ended;
    expect(thorough.told[0]?.detail).toBe('measured');
  });

  it('ends at once when it is stopped, without telling what it did not find out', async () => {
    const stop = new AbortController();
    const { told, ended } = await run(
      [check('first', async () => ok('1')), check('hangs', () => new Promise(() => {}))],
      { signal: stop.signal },
    );
    setImmediate(() => stop.abort(new Error('stopped')));
    await expect(ended).rejects.toThrow('stopped');
    expect(told.map(({ name }) => name)).toEqual(['first']);
  });
});
