import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { fullJitterMs, systemClock } from '../../src/lib/clock.ts';
import { didYouMean } from '../../src/lib/did-you-mean.ts';
import { duration, span } from '../../src/lib/duration.ts';
import { errorText, systemErrorCode } from '../../src/lib/errors.ts';
import { jsonLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';

describe('a secret', () => {
  it('prints in no way', () => {
    const secret = new Secret('hunter2');
    const printed = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true }),
    ];
    expect(printed.join()).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2');
  });

  it('does not print through a log either', () => {
    const lines: string[] = [];
    jsonLog((line) => lines.push(line)).info('paired', { key: new Secret('hunter2'), name: 'a' });
    expect(lines.join()).not.toContain('hunter2');
    expect(lines.join()).toContain('<redacted>');
  });
});

describe('a log', () => {
  it('writes one JSON object a line, from its level on', () => {
    const lines: string[] = [];
    const log = jsonLog((line) => lines.push(line), { level: 'info', nowMs: () => 0 });
    log.debug('not this');
    log.warn('slow', { ms: 3, error: new Error('why') });
    expect(lines).toEqual([
      '{"at":"1970-01-01T00:00:00.000Z","level":"warn","message":"slow","ms":3,"error":"why"}\n',
    ]);
  });
});

describe('an error', () => {
  it('is told with its causes, each once', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const error = new TypeError('fetch failed', { cause });
    expect(errorText(error)).toBe('fetch failed: connect ECONNREFUSED 127.0.0.1:1');
    expect(systemErrorCode(error)).toBe('ECONNREFUSED');
    expect(errorText(new Error('a', { cause: new Error('a') }))).toBe('a');
  });
});

describe('back-off', () => {
  it('is anywhere between nothing and a limit that doubles up to its cap', () => {
    expect([0, 1, 2, 10, 5_000].map((attempt) => fullJitterMs(attempt, { random: () => 1 }))).toEqual([
      1_000, 2_000, 4_000, 30_000, 30_000,
    ]);
    expect(fullJitterMs(3, { random: () => 0 })).toBe(0);
  });

  it('ends with the reason of its signal', async () => {
    const reason = new Error('stop');
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('words for people', () => {
  it.each([
    ['strat', 'start'],
    ['RUN', 'run'],
    ['deploy', null],
    ['x', null],
  ])('for a mistyped %s suggest %s', (typed, meant) => {
    expect(didYouMean(typed, ['pair', 'start', 'run'])).toBe(meant);
  });

  it('give time spans in the unit one reads', () => {
    expect([40, 5_640, 125_000].map(duration)).toEqual(['40 ms', '5.6 s', '2 min 5 s']);
    expect([55_100, 2_460_000, 7_500_000].map(span)).toEqual(['55 s', '41 min', '2 h 5 min']);
  });
});
