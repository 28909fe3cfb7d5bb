import { hkdfSync } from 'node:crypto';
import type { Secret } from '../lib/secret.ts';

/** What the bridge's own keys are for. */
export type BridgeKeyPurpose = 'pairing-codes' | 'blob-urls' | 'secret-mark';

/** A 32-byte key of the bridge for one purpose, derived from WORKER_SECRET, so that nothing has to be stored. */
export function bridgeKey(workerSecret: Secret, purpose: BridgeKeyPurpose): Buffer {
  return Buffer.from(hkdfSync('sha256', workerSecret.reveal(), '', `qualinet/bridge/${purpose}/v1`, 32));
}
