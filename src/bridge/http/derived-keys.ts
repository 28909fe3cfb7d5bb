import type { Secret } from '../../lib/secret.ts';
import { deriveKey, type KeyName, keyidOf } from '../../protocol/keys.ts';
import { fromEach, type WorkerSecrets } from '../worker-secrets.ts';

/** Keys remembered; more than there are runners at once. */
const most = 20_000;

/** Keys derived from each of the secrets, in their order, each once for as long as it is remembered: deriving costs a third of checking a signature. */
export function derivedKeys(secrets: WorkerSecrets): (name: KeyName) => readonly Secret[] {
  const known = new Map<string, readonly Secret[]>();
  return (name) => {
    const keyid = keyidOf(name);
    let keys = known.get(keyid);
    if (keys === undefined) {
      if (known.size >= most) known.clear();
      keys = fromEach(secrets, (secret) => deriveKey(secret, name));
      known.set(keyid, keys);
    }
    return keys;
  };
}
