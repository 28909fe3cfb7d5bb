import { abortScope } from '../../lib/abort-scope.ts';
import type { Clock } from '../../lib/clock.ts';
import { CancelledError, errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { AgentEvent } from '../agent-event.ts';
import type { BridgeClient } from '../client/bridge-client.ts';
import type { RetryDeps } from '../client/retry.ts';
import type { Storage } from '../client/storage.ts';
import type { Identity } from '../credentials/identity.ts';
import type { Leftover } from '../spool/spool.ts';
import type { MachineRules } from './admit-run.ts';
import { deliver, type Owed } from './deliver.ts';
import type { LeaseEnd } from './lease-end.ts';
import { Outbox } from './outbox.ts';
import { createTurns } from './turns.ts';

/** What a runner owes about runs that it no longer executes, delivered beside those that it does. */
export interface Debts {
  /** Delivers what is owed about a lease whose slot takes another run meanwhile. */
  take(owed: Owed): void;
  /** Delivers what an earlier life left; a run that has no ending was interrupted, for the reason that `whyInterrupted` gives. */
  takeLeftovers(leftovers: readonly Leftover[], whyInterrupted: (runId: string) => string): void;
  /** Resolves when nothing is owed of this life, or attempts were stopped; earlier lives may owe still. */
  ownSettled(): Promise<void>;
  /** Resolves when nothing is owed, or attempts were stopped. */
  settled(): Promise<void>;
  /** Ends the attempts; what is on disk stays for the next start. */
  stop(): Promise<void>;
}

export interface DebtsDeps extends RetryDeps {
  client: BridgeClient;
  storage: Storage;
  rules: Pick<MachineRules, 'policy'>;
  identity: Identity;
  clock: Clock;
  log: Log;
  tell(event: AgentEvent): void;
}

/** Hundreds may be owed after an outage, of 5 MiB each. */
const picturesAtOnce = 4;

/** Nothing is owed yet. */
export function openDebts(deps: DebtsDeps): Debts {
  const { log, tell } = deps;
  const stopping = abortScope([]);
  const open = new Set<Promise<void>>();
  const own = new Set<Promise<void>>();
  const pictureTurns = createTurns(picturesAtOnce);

  async function settle(owed: Owed): Promise<void> {
    const { runId } = owed.header;
    const end = await deliver(owed, {
      ...deps,
      signal: stopping.signal,
      isLate: true,
      pictureTurns,
      onDeed: (deed) => tell({ type: 'deed', runId, deed }),
    }).catch((error: unknown): LeaseEnd => {
      log.error('what is owed could not be delivered', { runId, error: errorText(error) });
      return { kind: 'kept', why: errorText(error), isOnDisk: owed.isOnDisk };
    });
    owed.outbox.stop();
    if (end.kind === 'kept') await owed.keep();
    else {
      await owed.drop().catch((error: unknown) => log.warn(`the spool stays: ${errorText(error)}`));
    }
    tell({ type: 'debt_ended', runId, end });
  }

  function begin(runId: string, work: Promise<void>): Promise<void> {
    tell({ type: 'debt_began', runId });
    const tracked = work.finally(() => {
      open.delete(tracked);
      own.delete(tracked);
    });
    open.add(tracked);
    return tracked;
  }

  async function removeForeign({ header, drop }: Leftover): Promise<void> {
    await drop().catch((error: unknown) => log.warn(`the spool stays: ${errorText(error)}`));
    const why = 'it belongs to another pairing of this machine';
    tell({ type: 'debt_ended', runId: header.runId, end: { kind: 'lost', why } });
  }

  return {
    take: (owed) => void own.add(begin(owed.header.runId, settle(owed))),
    takeLeftovers(leftovers, whyInterrupted) {
      for (const leftover of leftovers) {
        const { header, events, ending, pictures } = leftover;
        const isOurs =
          header.runnerId === deps.identity.credentials.runnerId &&
          header.apiBaseUrl === deps.client.apiBaseUrl;
        if (!isOurs) {
          void begin(header.runId, removeForeign(leftover));
          continue;
        }
        const outbox = new Outbox(
          header,
          { ...deps, spool: null, signal: stopping.signal, onLost: () => {} },
          events,
        );
        const owed: Owed = {
          header,
          outbox,
          ending: ending ?? {
            kind: 'release',
            reason: 'interrupted',
            detail: whyInterrupted(header.runId),
          },
          isOnDisk: true,
          pictures,
          // What an earlier life wrote has reached the disk by itself meanwhile.
          force: async () => {},
          drop: leftover.drop,
          keep: async () => {},
        };
        void begin(header.runId, settle(owed));
      }
    },
    ownSettled: () => allOf(own),
    settled: () => allOf(open),
    async stop() {
      stopping.abort(new CancelledError('the runner ends'));
      await allOf(open);
      stopping.close();
    },
  };
}

/** Also of those that are added meanwhile. */
async function allOf(works: ReadonlySet<Promise<void>>): Promise<void> {
  while (works.size > 0) await Promise.all(works);
}
