import type { Secret } from '../lib/secret.ts';
import { bridgeKey } from './bridge-keys.ts';

/**
 * What all keys are derived from: the first makes them, all of them are taken. There is more than one only while operators
 * replace the secret.
 */
export type WorkerSecrets = readonly [current: Secret, ...previous: Secret[]];

/** The same derivation from each of the secrets, in their order. */
export function fromEach<T>(
  [current, ...previous]: WorkerSecrets,
  derive: (secret: Secret) => T,
): [T, ...T[]] {
  return [derive(current), ...previous.map(derive)];
}

/** Tells keys of one secret from those of another in the database; nothing can be derived from it. */
export function secretMark(secret: Secret): string {
  return bridgeKey(secret, 'secret-mark').subarray(0, 8).toString('base64url');
}
