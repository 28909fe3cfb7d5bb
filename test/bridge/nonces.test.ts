import { describe, expect, it } from 'vitest';
import { memoryNonces } from '../../src/bridge/http/nonces.ts';
import { nonceMemoryMs } from '../../src/protocol/signing.ts';

describe('nonces', () => {
  it('are seen the second time, for each key', async () => {
    const nonces = memoryNonces(() => 0);
    expect(await nonces.remember('a', 'n')).toBe('new');
    expect(await nonces.remember('a', 'n')).toBe('seen');
    expect(await nonces.remember('b', 'n')).toBe('new');
  });

  it('are never forgotten to make room: a full memory refuses until the oldest are over', async () => {
    let nowMs = 0;
    const nonces = memoryNonces(() => nowMs, { capacity: 2 });
    await nonces.remember('a', '1');
    nowMs = 1;
    await nonces.remember('a', '2');
    expect(await nonces.remember('a', '3')).toBe('full');
    expect(await nonces.remember('a', '1')).toBe('seen');
    nowMs = nonceMemoryMs;
    expect(await nonces.remember('a', '3')).toBe('new');
    expect(await nonces.remember('a', '2')).toBe('seen');
    expect(await nonces.remember('a', '4')).toBe('full');
  });
});
