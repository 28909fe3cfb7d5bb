import type { RouteAuth } from '../../protocol/routes.ts';
import type { SigningKey } from '../../protocol/signing.ts';

/** The keys that requests may be signed with, and what answers say about them. */
export interface KeyRing {
  /** The key to begin with for this kind of route; null where there is none. */
  keyFor(auth: RouteAuth): SigningKey | null;
  /** Another key to try after these were not taken; null when all were tried. */
  otherThan(tried: ReadonlySet<SigningKey>): SigningKey | null;
  /** An answer was signed with this key: the bridge has it. */
  proved(key: SigningKey): void;
  /** This key is not taken; nobody needs to have signed that. */
  refused(key: SigningKey): void;
  /** The bridge wants this key to be renewed. */
  renewalOrdered(key: SigningKey): void;
}

/** A ring of the one key for routes of this kind, which nothing can change. */
export function oneKey(auth: RouteAuth, key: SigningKey | null): KeyRing {
  return {
    keyFor: (wanted) => (wanted === auth ? key : null),
    otherThan: () => null,
    proved() {},
    refused() {},
    renewalOrdered() {},
  };
}
