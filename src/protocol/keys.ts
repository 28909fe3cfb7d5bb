import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { Secret } from '../lib/secret.ts';
import type { WrappedKey } from './messages.ts';

// Keys are derived, never stored by the bridge: whoever holds WORKER_SECRET can make every runner's key again, and a
// copy of the database holds none.

/** Names of keys as they stand in a signature's `keyid`. */
export type KeyName =
  | { kind: 'runner'; runnerId: string; generation: number }
  | { kind: 'enrol'; runnerId: string }
  | { kind: 'managed' };

const uuidPattern = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const runnerKeyid = new RegExp(`^rk1\\.(${uuidPattern})\\.([1-9]\\d{0,8})$`);
const enrolKeyid = new RegExp(`^ws1\\.(${uuidPattern})$`);

/** `rk1.<runnerId>.<generation>`, `ws1.<runnerId>` or `mp1`. */
export function keyidOf(key: KeyName): string {
  if (key.kind === 'runner') return `rk1.${key.runnerId}.${key.generation}`;
  return key.kind === 'enrol' ? `ws1.${key.runnerId}` : 'mp1';
}

/** The inverse of {@link keyidOf}; null for anything else. */
export function parseKeyid(keyid: string): KeyName | null {
  if (keyid === 'mp1') return { kind: 'managed' };
  const runner = runnerKeyid.exec(keyid);
  if (runner?.[1] !== undefined)
    return { kind: 'runner', runnerId: runner[1], generation: Number(runner[2]) };
  const enrol = enrolKeyid.exec(keyid);
  return enrol?.[1] === undefined ? null : { kind: 'enrol', runnerId: enrol[1] };
}

/** The 32-byte signing key `key` names, derived from the secret behind its kind (HKDF-SHA256), as base64url. */
export function deriveKey(secret: Secret, key: KeyName): Secret {
  const [salt, info] =
    key.kind === 'runner'
      ? [key.runnerId, `qualinet/runner-hmac/v1/${key.generation}`]
      : key.kind === 'enrol'
        ? [key.runnerId, 'qualinet/enrol-hmac/v1']
        : ['', 'qualinet/managed-pair-hmac/v1'];
  return new Secret(Buffer.from(hkdfSync('sha256', secret.reveal(), salt, info, 32)).toString('base64url'));
}

/** One side's X25519 pair; the public half is 32 raw bytes as base64url. */
export interface ExchangeKeys {
  publicKey: string;
  privateKey: KeyObject;
}

/** A fresh X25519 pair, for one pairing or one rotation. */
export function newExchangeKeys(): ExchangeKeys {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: rawPublicKey(publicKey), privateKey };
}

/** Encrypts a runner's key so that only the holder of `recipientPublicKey`'s private half reads it. Throws on a bad public key. */
export function wrapKey(key: Secret, recipientPublicKey: string, keyid: string): WrappedKey {
  const own = newExchangeKeys();
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(own.privateKey, recipientPublicKey, keyid), nonce);
  cipher.setAAD(Buffer.from(keyid));
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(key.reveal(), 'base64url')), cipher.final()]);
  return {
    publicKey: own.publicKey,
    nonce: nonce.toString('base64url'),
    ciphertext: Buffer.concat([ciphertext, cipher.getAuthTag()]).toString('base64url'),
  };
}

/** Opens what {@link wrapKey} made. Throws when it was altered or made for somebody else. */
export function unwrapKey(wrapped: WrappedKey, privateKey: KeyObject, keyid: string): Secret {
  const nonce = Buffer.from(wrapped.nonce, 'base64url');
  const sealed = Buffer.from(wrapped.ciphertext, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey(privateKey, wrapped.publicKey, keyid), nonce);
  decipher.setAAD(Buffer.from(keyid));
  decipher.setAuthTag(sealed.subarray(-16));
  return new Secret(
    Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('base64url'),
  );
}

/**
 * Ten letters both sides show during pairing (`lusab-babad`): 32 bits of a hash over the runner's id and public key,
 * spelt as consonant-vowel groups so that they can be read aloud.
 */
export function checkWord(runnerId: string, publicKey: string): string {
  const hash = createHash('sha256').update(`qualinet/check-word/v1\n${runnerId}\n${publicKey}`).digest();
  return `${spell(hash.readUInt16BE(0))}-${spell(hash.readUInt16BE(2))}`;
}

const consonants = 'bdfghjklmnprstvz';
const vowels = 'aiou';

function spell(sixteenBits: number): string {
  const pick = (letters: string, shift: number) => letters[(sixteenBits >> shift) % letters.length] ?? '';
  return (
    pick(consonants, 12) + pick(vowels, 10) + pick(consonants, 6) + pick(vowels, 4) + pick(consonants, 0)
  );
}

function wrappingKey(privateKey: KeyObject, otherPublicKey: string, keyid: string): Buffer {
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x: otherPublicKey } });
  const shared = diffieHellman({ privateKey, publicKey });
  return Buffer.from(hkdfSync('sha256', shared, keyid, 'qualinet/key-wrap/v1', 32));
}

function rawPublicKey(key: KeyObject): string {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined) throw new Error('an X25519 public key has no x');
  return x;
}
