import { describe, expect, it } from 'vitest';
import { oneTimeCode } from '../../../src/browser/actions/one-time-code.ts';
import { systemClock } from '../../../src/lib/clock.ts';

// The secrets and codes are those of RFC 6238, appendix B.
const sha1 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const sha256 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA';

/** A clock that stands at a moment until somebody sleeps. */
function standing(atMs: number) {
  let nowMs = atMs;
  const clock = {
    ...systemClock,
    nowMs: () => nowMs,
    sleep(ms: number) {
      nowMs += ms;
      return Promise.resolve();
    },
  };
  return { clock, halt: new AbortController().signal };
}

describe('a one-time code', () => {
  it.each([
    [sha1, { digits: 8 }, 1234567890_000, '89005924'],
    [sha1, {}, 1111111111_000, '050471'],
    ['gezd gnbv gy3t qojq gezd gnbv gy3t qojq', {}, 1111111111_000, '050471'],
    [sha256, { digits: 8, algorithm: 'SHA256' as const }, 1111111111_000, '67062674'],
    [`otpauth://totp/Shop:ann?secret=${sha1}&digits=8&issuer=Shop`, {}, 2000000000_000, '69279037'],
    [`otpauth://totp/Shop?secret=${sha1}`, { digits: 8 }, 2000000000_000, '69279037'],
  ])('is made from base32 or an otpauth address', async (secret, data, atMs, code) => {
    expect(await oneTimeCode(secret, { secret: 'S', ...data }, standing(atMs))).toBe(code);
  });

  it('is the next one where this one is about to end', async () => {
    const soon = standing(1111111110_000 - 500);
    expect(await oneTimeCode(sha1, { secret: 'S', digits: 8 }, soon)).toBe('14050471');
  });

  it.each(['no base32 at all!', 'otpauth://hotp/Shop?secret=GEZDGNBV&counter=1', 'otpauth://totp/x', ''])(
    'is not made from "%s", and the error does not show it',
    async (secret) => {
      const made = oneTimeCode(secret, { secret: 'SHOP_KEY' }, standing(0));
      await expect(made).rejects.toMatchObject({ kind: 'invalid_data' });
      await expect(made).rejects.toThrow(/the secret SHOP_KEY is no key/);
      if (secret !== '') await expect(made).rejects.not.toThrow(secret);
    },
  );
});
