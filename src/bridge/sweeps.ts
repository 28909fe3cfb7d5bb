import type { Clock } from '../lib/clock.ts';
import type { Dispatcher } from './dispatch.ts';
import { endForsaken } from './leases/end-forsaken.ts';
import type { LeaseDeps } from './leases/lease-deps.ts';
import { renewAfterSilence } from './leases/renew-after-silence.ts';
import { sweepLeases } from './leases/sweep-leases.ts';
import { forgetOldCodes } from './runners/pairing-codes.ts';
import { forgetOldGuesses } from './runners/wrong-guesses.ts';

/** Sweeps between two looks for runs that the backend itself has ended: these read the backend's rows. */
const endForsakenEvery = 3;
/** Sweeps between two clean-ups of what is only kept for a while. */
const cleanUpEvery = 60;

/** The bridge's regular work, until stopped. */
export interface Sweeps {
  /** Resolves when the pass under way is done. */
  stop(): Promise<void>;
}

/** Every second: leases nobody keeps, endings nobody told, then runs whose wake-up was lost. A pass that fails is told and tried again. */
export function startSweeps(deps: LeaseDeps & { clock: Clock; dispatcher: Dispatcher }): Sweeps {
  const stopping = new AbortController();
  const work = (async () => {
    for (let pass = 1; !stopping.signal.aborted; pass += 1) {
      try {
        await deps.clock.sleep(deps.timing.sweepMs, stopping.signal);
      } catch {
        return;
      }
      try {
        await renewAfterSilence(deps);
        await sweepLeases(deps);
        if (pass % endForsakenEvery === 0) await endForsaken(deps);
        await deps.teller.sweep();
        await deps.dispatcher.sweep();
        if (pass % cleanUpEvery === 0) {
          await forgetOldCodes(deps);
          await forgetOldGuesses(deps);
        }
      } catch (error) {
        deps.log.error('the sweep of leases failed', { error });
      }
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await work;
    },
  };
}
