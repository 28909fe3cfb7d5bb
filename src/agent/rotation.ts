import type { Log } from '../lib/log.ts';
import { newExchangeKeys, unwrapKey } from '../protocol/keys.ts';
import type { BridgeClient } from './bridge-client.ts';
import { newestKey, type RunnerKey } from './credentials.ts';
import type { Identity } from './identity.ts';

/** Part of a key's life after which it is replaced. Source: system.md §3. */
const rotateAfter = 2 / 3;

/** True when the key should be replaced, or a replacement was begun and not finished. */
export function isRotationDue({ credentials }: Identity, nowMs: number): boolean {
  if (credentials.keys.length > 1) return true;
  const { notBefore, notAfter } = newestKey(credentials);
  const beginMs = Date.parse(notBefore);
  return nowMs >= beginMs + (Date.parse(notAfter) - beginMs) * rotateAfter;
}

/**
 * Replaces the runner's key: fetch the next generation, keep both, use the new one, and drop the old one once the new one
 * has worked. Every part may be repeated: a lost answer, or a process that ends in between, costs nothing.
 */
export async function rotateKey(
  identity: Identity,
  client: BridgeClient,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<void> {
  if (identity.credentials.keys.length === 1) {
    const exchange = newExchangeKeys();
    const { wrappedKey, ...issued } = await client.call('rotateCredentials', {
      body: { publicKey: exchange.publicKey },
      signal,
    });
    const next: RunnerKey = {
      keyid: issued.keyid,
      generation: issued.generation,
      notBefore: issued.notBefore,
      notAfter: issued.notAfter,
      secret: unwrapKey(wrappedKey, exchange.privateKey, issued.keyid),
    };
    const old = newestKey(identity.credentials);
    await identity.replace({ ...identity.credentials, keys: [old, next] });
  }
  await client.call('runnerSelf', { signal });
  const worked = newestKey(identity.credentials);
  await identity.replace({ ...identity.credentials, keys: [worked] });
  log.info('the credentials were renewed', { generation: worked.generation, notAfter: worked.notAfter });
}
