import { TOTP, URI } from 'otpauth';
import type { DataOf } from '../../flow/node-types/node-types.ts';
import type { Clock } from '../../lib/clock.ts';
import { StepFailure } from '../step/step-error.ts';

/** A code that is about to end is not typed: the site would get it too late. */
const leastLeftMs = 2_000;

/**
 * The one-time code of this moment, or of the next where this one is about to end. What the step says of digits, period and
 * algorithm stands over what the secret says. Throws StepFailure `invalid_data`, which never shows the secret.
 */
export async function oneTimeCode(
  secret: string,
  { secret: name, digits, periodSeconds, algorithm }: DataOf<'totp'>,
  { clock, halt }: { clock: Clock; halt: AbortSignal },
): Promise<string> {
  const totp = readKey(secret, name);
  if (digits !== undefined) totp.digits = digits;
  if (periodSeconds !== undefined) totp.period = periodSeconds;
  if (algorithm !== undefined) totp.algorithm = algorithm;
  const leftMs = totp.remaining({ timestamp: clock.nowMs() });
  if (leftMs < leastLeftMs) await clock.sleep(leftMs + 1, halt);
  return totp.generate({ timestamp: clock.nowMs() });
}

function readKey(secret: string, name: string): TOTP {
  const written = secret.trim();
  try {
    const key = /^otpauth:/i.test(written)
      ? URI.parse(written)
      : new TOTP({ secret: written.replace(/[\s-]/g, '').toUpperCase() });
    if (key instanceof TOTP && key.secret.bytes.length > 0) return key;
  } catch {
    // What the parser says holds parts of the secret.
  }
  throw new StepFailure(
    'invalid_data',
    `the secret ${name} is no key for one-time codes: base32 as in JBSWY3DPEHPK3PXP, or an otpauth://totp/ address`,
  );
}
