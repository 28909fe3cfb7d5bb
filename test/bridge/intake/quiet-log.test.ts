import { describe, expect, it } from 'vitest';
import { quietLog } from '../../../src/bridge/intake/quiet-log.ts';
import { silentLog } from '../../../src/lib/log.ts';

describe('errors that repeat', () => {
  function quiet() {
    const told: string[] = [];
    const clock = { ms: 0 };
    const note = (message: string) => void told.push(message);
    const log = { ...silentLog, warn: note, info: note };
    return { told, clock, quiet: quietLog('the intake', { log, monotonicMs: () => clock.ms }) };
  }
  const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

  it('tell an outage once, and its end once', () => {
    const { told, quiet: log } = quiet();
    log.recovered();
    for (let count = 0; count < 100; count += 1) log.error(refused());
    for (let count = 0; count < 100; count += 1) log.recovered();
    log.error(refused());
    expect(told).toEqual([
      'the intake cannot reach its server',
      'the intake works again',
      'the intake cannot reach its server',
    ]);
  });

  it('tell every other kind at most once a minute, whatever job it is about', () => {
    const { told, clock, quiet: log } = quiet();
    for (let job = 0; job < 100; job += 1) {
      log.error(new Error(`OOM command not allowed for job ${job}`));
      log.error(new Error('something else'));
    }
    expect(told).toHaveLength(2);
    clock.ms = 60_001;
    log.error(new Error('OOM command not allowed for job 7'));
    expect(told).toHaveLength(3);
  });
});
