import type { Clock } from '../lib/clock.ts';
import type { Dispatcher } from './dispatch.ts';
import { endForsaken } from './leases/end-forsaken.ts';
import type { LeaseDeps } from './leases/lease-deps.ts';
import { renewAfterSilence } from './leases/renew-after-silence.ts';
import { sweepLeases } from './leases/sweep-leases.ts';
import type { Outages } from './outages.ts';
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

type SweepDeps = LeaseDeps & { clock: Clock; dispatcher: Dispatcher; outages: Outages };

/** Every second: leases nobody keeps, endings nobody told, then runs whose wake-up was lost. A pass that fails is told and tried again. */
export function startSweeps(deps: SweepDeps): Sweeps {
  const stopping = new AbortController();
  // Each by itself: an ending that cannot be told while Redis is away must not keep runs from those who wait for them.
  async function look(what: string, sweep: () => Promise<void>): Promise<void> {
    // A server that hangs holds up the end of this bridge once and not with each of them.
    if (stopping.signal.aborted) return;
    try {
      await sweep();
    } catch (error) {
      if (!deps.outages.note(error)) deps.log.error(`the sweep of ${what} failed`, { error });
    }
  }
  // False until the database has answered, and after each time that it did not.
  let wasHere = false;
  let sweptAtMs: number | null = null;
  const work = (async () => {
    for (let pass = 1; !stopping.signal.aborted; pass += 1) {
      try {
        await deps.clock.sleep(deps.timing.sweepMs, stopping.signal);
      } catch {
        return;
      }
      await look('leases', async () => {
        // In this order: after a silence, leases must go on before those that nobody keeps are ended.
        const wasHereBefore = wasHere;
        wasHere = false;
        const startedAtMs = deps.clock.monotonicMs();
        const sinceMs = sweptAtMs === null ? null : startedAtMs - sweptAtMs;
        await renewAfterSilence(deps, { sinceMs, wasHere: wasHereBefore });
        sweptAtMs = startedAtMs;
        await sweepLeases(deps);
        wasHere = true;
      });
      if (pass % endForsakenEvery === 0) await look('runs ended elsewhere', () => endForsaken(deps));
      await look('endings', () => deps.teller.sweep());
      await look('polls', () => deps.dispatcher.sweep());
      if (pass % cleanUpEvery === 0) {
        await look('pairing codes', async () => {
          await forgetOldCodes(deps);
          await forgetOldGuesses(deps);
        });
      }
      // Not waited for: a server that hangs would hold up the sweeps that do without it.
      if (!stopping.signal.aborted) void deps.outages.look();
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await work;
    },
  };
}
