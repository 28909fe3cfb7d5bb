import type { Redis } from 'ioredis';
import type { Log } from '../../lib/log.ts';
import { nonceMemoryMs } from '../../protocol/signing.ts';
import { memoryNonces, type Nonces } from '../http/nonces.ts';

/** How often a Redis that did not answer is asked again. */
const retryMs = 1_000;

/**
 * Nonces that all bridges share. While Redis does not answer, each bridge goes on with its own memory: refusing everybody
 * would end every run that executes, and a request that is replayed at another bridge meets the fence of its lease.
 */
export function redisNonces({
  redis,
  nowMs,
  log,
  capacity,
}: {
  redis: Redis;
  nowMs: () => number;
  log: Log;
  /** Nonces that it remembers itself. */
  capacity?: number;
}): Nonces {
  const own = memoryNonces(nowMs, capacity === undefined ? {} : { capacity });
  let isShared = true;
  let nextTryMs = 0;
  return {
    async remember(keyid, nonce, createdAtMs) {
      // Its memory is full where there is much to do, and that must refuse nobody, for the same reason.
      const here = (await own.remember(keyid, nonce, createdAtMs)) === 'seen' ? 'seen' : 'new';
      // A Redis that hangs would make every request wait for its time-out.
      if (!isShared && nowMs() < nextTryMs) return here;
      let isNew: boolean;
      try {
        const key = `qualinet:nonce:${keyid}:${nonce}`;
        isNew = (await redis.set(key, '', 'PX', nonceMemoryMs, 'NX')) === 'OK';
      } catch (error) {
        if (isShared) log.warn('Redis does not answer; replays are noticed by each bridge alone', { error });
        isShared = false;
        nextTryMs = nowMs() + retryMs;
        return here;
      }
      isShared = true;
      return isNew ? 'new' : 'seen';
    },
  };
}
