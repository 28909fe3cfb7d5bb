import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { redisNonces } from '../../src/bridge/distributed/redis-nonces.ts';
import { memoryNonces } from '../../src/bridge/http/nonces.ts';
import { silentLog } from '../../src/lib/log.ts';
import { nonceMemoryMs } from '../../src/protocol/signing.ts';

describe('nonces', () => {
  it('are seen the second time, for each key', async () => {
    const nonces = memoryNonces(() => 0);
    expect(await nonces.remember('a', 'n', 0)).toBe('new');
    expect(await nonces.remember('a', 'n', 0)).toBe('seen');
    expect(await nonces.remember('b', 'n', 0)).toBe('new');
  });

  it('count as seen when they were signed before the memory began: it may have been another one that saw them', async () => {
    const nonces = memoryNonces(() => 10_500);
    expect(await nonces.remember('a', '1', 9_000)).toBe('seen');
    expect(await nonces.remember('a', '2', 10_000)).toBe('new');
  });

  it('are never forgotten to make room: a full memory refuses until the oldest are over', async () => {
    let nowMs = 0;
    const nonces = memoryNonces(() => nowMs, { capacity: 2 });
    await nonces.remember('a', '1', 0);
    nowMs = 1;
    await nonces.remember('a', '2', 0);
    expect(await nonces.remember('a', '3', 0)).toBe('full');
    expect(await nonces.remember('a', '1', 0)).toBe('seen');
    nowMs = nonceMemoryMs;
    expect(await nonces.remember('a', '3', 0)).toBe('new');
    expect(await nonces.remember('a', '2', 0)).toBe('seen');
    expect(await nonces.remember('a', '4', 0)).toBe('full');
  });

  it('that no other bridge can be asked about refuse nobody, however many there are', async () => {
    const away = new Redis({ lazyConnect: true, enableOfflineQueue: false });
    away.on('error', () => {});
    const nonces = redisNonces({ redis: away, nowMs: () => 0, log: silentLog, capacity: 1 });
    expect(await nonces.remember('a', '1', 0)).toBe('new');
    expect(await nonces.remember('a', '2', 0)).toBe('new');
    expect(await nonces.remember('a', '1', 0)).toBe('seen');
  });
});
