import { nonceMemoryMs } from '../../protocol/signing.ts';

/** Remembers nonces of authentic requests for as long as they could be replayed. */
export interface Nonces {
  /** `full` means that it cannot remember more: the request must be refused, because forgetting would allow a replay. */
  remember(keyid: string, nonce: string): Promise<'new' | 'seen' | 'full'>;
}

/** Nonces in this process's memory, for a bridge that is alone. */
export function memoryNonces(nowMs: () => number, { capacity = 200_000 } = {}): Nonces {
  // In order of expiry, because all live equally long: the oldest are dropped from the front.
  const expiresAtMs = new Map<string, number>();
  return {
    async remember(keyid, nonce) {
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
