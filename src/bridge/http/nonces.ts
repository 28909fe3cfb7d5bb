import { nonceMemoryMs } from '../../protocol/signing.ts';

/** Remembers nonces of authentic requests for as long as they could be replayed. */
export interface Nonces {
  /**
   * `seen` also for a request that was signed before this memory began, and may have been seen then. `full` means that it
   * cannot remember more: the request must be refused, because forgetting would allow a replay.
   */
  remember(keyid: string, nonce: string, createdAtMs: number): Promise<'new' | 'seen' | 'full'>;
}

/** Nonces in this process's memory, for a bridge that is alone. */
export function memoryNonces(nowMs: () => number, { capacity = 200_000 } = {}): Nonces {
  // In order of expiry, because all live equally long: the oldest are dropped from the front.
  const expiresAtMs = new Map<string, number>();
  // Signatures tell whole seconds. A runner whose request is refused for this signs it anew.
  const beganAtMs = Math.floor(nowMs() / 1_000) * 1_000;
  return {
    async remember(keyid, nonce, createdAtMs) {
      if (createdAtMs < beganAtMs) return 'seen';
      const at = nowMs();
      for (const [entry, expires] of expiresAtMs) {
        if (expires > at) break;
        expiresAtMs.delete(entry);
      }
      const entry = `${keyid} ${nonce}`;
      if (expiresAtMs.has(entry)) return 'seen';
      if (expiresAtMs.size >= capacity) return 'full';
      expiresAtMs.set(entry, at + nonceMemoryMs);
      return 'new';
    },
  };
}
