import { span } from '../../lib/duration.ts';
import { clockToleranceMs } from '../../protocol/signing.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';

/** Less is what a network and whole seconds make. */
const worthTellingMs = 10_000;

export const clockSkew: Check = {
  name: 'clock',
  title: 'Clock',
  needs: ['bridge'],
  fix: "Set this machine's clock: timedatectl set-ntp true",
  async run({ askSelf, askHealth }) {
    // Refused credentials are told by their own check; a signed answer is the only one to believe about time.
    const signedMs = (await askSelf().catch(() => null))?.aheadMs ?? null;
    const aheadMs = signedMs ?? (await askHealth()).aheadMs;
    if (aheadMs === null) return skipped('cannot be known: nothing told the time');
    const offMs = Math.abs(aheadMs);
    const source =
      signedMs === null ? 'by an unsigned Date header, which is a hint only' : 'by its signed answer';
    const limit = `signatures are good within ${clockToleranceMs / 1_000} s`;
    if (offMs < worthTellingMs)
      return ok(`as the bridge's within ${Math.max(1, Math.ceil(offMs / 1_000))} s, ${source}; ${limit}`);
    const detail = `${span(offMs)} ${aheadMs > 0 ? 'behind' : 'ahead of'} the bridge's, ${source}; ${limit}`;
    return signedMs === null || offMs <= clockToleranceMs
      ? warning(detail, clockSkew.fix)
      : failed(
          `${detail}, beyond that each start is refused once and goes by the bridge's time`,
          clockSkew.fix,
        );
  },
};
