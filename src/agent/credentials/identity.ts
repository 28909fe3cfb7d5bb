import type { SigningKey } from '../../protocol/signing.ts';
import type { KeyRing } from '../client/key-ring.ts';
import { type Credentials, newestKey, type RunnerKey } from './credentials.ts';

/** The credentials in use, and which of their keys works. Rotation replaces them while requests are under way. */
export interface Identity extends KeyRing {
  readonly credentials: Credentials;
  /** Uses `next` from now on, after it was saved where credentials are kept. */
  replace(next: Credentials): Promise<void>;
  /** True once an answer was signed with this key. */
  isProved(key: RunnerKey): boolean;
  /** True while the bridge wants the newest key to be renewed. */
  readonly isRenewalOrdered: boolean;
}

/**
 * Holds `credentials`; `save` keeps them for the next start (nothing to do where they are made anew each time).
 *
 * While two keys are held, nobody knows which of them works: an answer may have been lost at any point. What was proved is
 * used, the newest first; what has not been tried comes before what was refused. A refusal is an opinion, because anybody may
 * say it, and one more try of the other key costs nothing.
 */
export function createIdentity(
  credentials: Credentials,
  save: (credentials: Credentials) => Promise<void>,
): Identity {
  let current = credentials;
  let orderedFor: SigningKey | null = null;
  const known = new WeakMap<SigningKey, 'proved' | 'refused'>();

  /** Held keys, the one to try first in front. */
  function inOrder(): RunnerKey[] {
    const rank = (key: RunnerKey): number =>
      ({ proved: 0, untried: 1, refused: 2 })[known.get(key) ?? 'untried'];
    return [...current.keys].sort((a, b) => rank(a) - rank(b) || b.generation - a.generation);
  }

  return {
    get credentials() {
      return current;
    },
    async replace(next) {
      await save(next);
      current = next;
    },
    isProved: (key) => known.get(key) === 'proved',
    get isRenewalOrdered() {
      return orderedFor === newestKey(current);
    },
    keyFor: (auth) => (auth === 'runner' ? (inOrder()[0] ?? null) : null),
    otherThan: (tried) => inOrder().find((key) => !tried.has(key)) ?? null,
    proved: (key) => void known.set(key, 'proved'),
    refused: (key) => void known.set(key, 'refused'),
    renewalOrdered(key) {
      orderedFor = key;
    },
  };
}
