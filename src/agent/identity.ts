import type { RouteAuth } from '../protocol/routes.ts';
import type { SigningKey } from '../protocol/signing.ts';
import { type Credentials, newestKey } from './credentials.ts';

/** The credentials in use. Rotation replaces them while requests are under way. */
export interface Identity {
  readonly credentials: Credentials;
  /** Uses `next` from now on, after it was saved where credentials are kept. */
  replace(next: Credentials): Promise<void>;
  keyFor(auth: RouteAuth): SigningKey | null;
}

/** Holds `credentials`; `save` keeps them for the next start (nothing to do where they are made anew each time). */
export function createIdentity(
  credentials: Credentials,
  save: (credentials: Credentials) => Promise<void>,
): Identity {
  let current = credentials;
  return {
    get credentials() {
      return current;
    },
    async replace(next) {
      await save(next);
      current = next;
    },
    keyFor: (auth) => (auth === 'runner' ? newestKey(current) : null),
  };
}
