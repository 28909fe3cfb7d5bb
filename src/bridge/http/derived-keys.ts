import type { Secret } from '../../lib/secret.ts';
import { deriveKey, type KeyName, keyidOf } from '../../protocol/keys.ts';

/** Keys remembered; more than there are runners at once. */
const most = 20_000;

/** Keys derived from `secret`, each once for as long as it is remembered: deriving costs a third of checking a signature. */
export function derivedKeys(secret: Secret): (name: KeyName) => Secret {
  const known = new Map<string, Secret>();
  return (name) => {
    const keyid = keyidOf(name);
    let key = known.get(keyid);
    if (key === undefined) {
      if (known.size >= most) known.clear();
      key = deriveKey(secret, name);
      known.set(keyid, key);
    }
    return key;
  };
}
