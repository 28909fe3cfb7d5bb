import { type LocalSecrets, noSecrets } from '../flow/local-secrets.ts';
import { abortScope } from '../lib/abort-scope.ts';
import type { Clock } from '../lib/clock.ts';
import { counted } from '../lib/counted.ts';
import { CancelledError, CredentialsRejectedError } from '../lib/errors.ts';
import { exitCode } from '../lib/exit-code.ts';
import type { Log } from '../lib/log.ts';
import type { Capabilities, Lease } from '../protocol/messages.ts';
import type { AgentEvent } from './agent-event.ts';
import type { BridgeClient } from './client/bridge-client.ts';
import { followControl } from './client/control-stream.ts';
import type { RetryDeps } from './client/retry.ts';
import type { Storage } from './client/storage.ts';
import type { Transport } from './client/transport.ts';
import { watchedClient } from './client/watched-client.ts';
import type { Identity } from './credentials/identity.ts';
import { keepKeysFresh } from './credentials/rotation.ts';
import type { LoopWatch } from './health/pulse.ts';
import type { MachineRules } from './lease/admit-run.ts';
import { type Debts, openDebts } from './lease/debts.ts';
import type { KeptLease } from './lease/keep-lease.ts';
import { type ExecuteFlow, type RunLeaseDeps, runLease } from './lease/run-lease.ts';
import { ShutdownError } from './lease/run-outcome.ts';
import { leaseLoop } from './lease-loop.ts';
import { shadowTeller } from './secrets/tell-shadowed.ts';
import { openSpool } from './spool/spool.ts';
import { openStatusFile, type WorkingRules } from './status-file.ts';
import { createWakeUp } from './wake-up.ts';

/** Why a runner ended in order, and its exit code. What it throws ends it too: see errors.ts. */
export const stopReasons = {
  once: { exitCode: exitCode.done, text: 'the one run has ended' },
  drained: { exitCode: exitCode.done, text: 'all runs have ended' },
  stopped: { exitCode: exitCode.terminated, text: 'runs were stopped and handed back' },
} as const satisfies Record<string, { exitCode: number; text: string }>;

export type StopReason = keyof typeof stopReasons;

export interface AgentOptions {
  /** Folder of spool and status; the caller holds its lock. */
  home: string;
  concurrency: number;
  once: boolean;
  version: string;
  pid: number;
  /** For whoever asks for the status. */
  rules?: WorkingRules;
  /** Most that is kept on disk for the bridge. */
  spoolBytes: number;
  /** Why the life that left this run unfinished ended. */
  whyInterrupted(runId: string): string;
}

export interface AgentDeps extends RetryDeps {
  client: BridgeClient;
  transport: Transport;
  /** Where pictures are put. */
  storage: Storage;
  /** What this machine lets runs do. */
  rules: MachineRules;
  identity: Identity;
  clock: Clock;
  log: Log;
  /** Gets a browser. What an earlier life owed is on its way by then: a browser that does not start must not hold it up. */
  startEngine(): Promise<{ executeFlow: ExecuteFlow; capabilities: Capabilities }>;
  /** Variables of flows whose values stay on this machine. */
  secrets?: LocalSecrets;
  /** No further runs; those under way are finished. */
  drainSignal: AbortSignal;
  /** Runs are stopped with its reason (a ShutdownError) and handed back. */
  stopSignal: AbortSignal;
  tell(event: AgentEvent): void;
  /** Hears of each turn of the lease loop. */
  pulse: LoopWatch;
}

/** After a stop, runs that cannot be handed back in this time stay in the spool; so does, at every end, what is owed. */
const stopGraceMs = 10_000;

/**
 * The runner: delivers what an earlier life owed, gets its browser, takes leases, renews its key, listens for hints; until drained, stopped,
 * or ended by an error that no runner can go on with, which is thrown. Nothing of it is left when this resolves.
 */
export async function runAgent(options: AgentOptions, outer: AgentDeps): Promise<StopReason> {
  const { clock, log, identity } = outer;
  // The end of the credentials may be heard by anything that asks the bridge, and ends the runner whatever it waits for. The
  // renewal of keys asks by itself: a refusal of one of two keys ends nothing.
  const deps = { ...outer, client: watchedClient(outer.client, { onRejected: fail }) };
  const spool = await openSpool(options.home, { log, capBytes: options.spoolBytes });
  const status = openStatusFile(
    options.home,
    {
      ...options.rules,
      pid: options.pid,
      version: options.version,
      runnerId: identity.credentials.runnerId,
    },
    deps,
  );
  const tell = (event: AgentEvent): void => {
    status.onEvent(event);
    deps.tell(event);
  };
  const draining = abortScope([deps.drainSignal, deps.stopSignal]);
  const stopping = abortScope([deps.stopSignal]);
  const hardStop = abortScope([]);
  /** Ends what goes on beside the runs: hints, rotation. */
  const ending = abortScope([]);
  const keptLeases = new Map<string, KeptLease>();
  let areHintsHeard = false;
  let isDrainOrdered = false;
  const pause = createWakeUp(clock);
  const tellShadowed = shadowTeller(deps.secrets ?? noSecrets, log);
  const failures: unknown[] = [];

  draining.signal.addEventListener('abort', () => status.draining(), { once: true });
  stopping.signal.addEventListener('abort', () => void graceThenHardStop(), { once: true });
  const debts = openDebts({ ...deps, tell });
  const leftovers = spool.takeLeftovers();
  if (leftovers.length > 0)
    log.info(`delivering what an earlier life owed about ${counted(leftovers.length, 'run')}`);
  debts.takeLeftovers(leftovers, options.whyInterrupted);
  const beside: Promise<void>[] = [];

  try {
    const { executeFlow, capabilities } = await deps.startEngine();
    status.engineStarted(capabilities);
    beside.push(
      keepKeysFresh(identity, outer.client, { ...outer, signal: ending.signal, onRejected: fail }),
      listen(),
    );
    const execute = (lease: Lease): Promise<void> => executeLease(lease, { spool, debts, executeFlow });
    const loop = { ...options, capabilities };
    await leaseLoop(loop, {
      ...deps,
      drainSignal: draining.signal,
      pause,
      tell,
      onDrainOrder,
      runLease: execute,
    });
  } catch (error) {
    fail(error);
  }
  await settleDebts(debts);
  ending.abort(new CancelledError('the runner ends'));
  await Promise.all(beside);
  draining.close();
  stopping.close();
  await status.close();
  if (failures.length > 0) throw failures[0];
  if (deps.stopSignal.aborted) return 'stopped';
  return options.once && !deps.drainSignal.aborted ? 'once' : 'drained';

  async function executeLease(
    lease: Lease,
    parts: Pick<RunLeaseDeps, 'spool' | 'debts' | 'executeFlow'>,
  ): Promise<void> {
    let own: KeptLease | null = null;
    tellShadowed(lease.variables);
    try {
      await runLease(lease, {
        ...deps,
        ...parts,
        areHintsHeard: () => areHintsHeard,
        tell,
        stopSignal: stopping.signal,
        hardStopSignal: hardStop.signal,
        onKept(kept) {
          own = kept;
          keptLeases.set(lease.leaseId, kept);
        },
        onDrainOrder,
      });
    } catch (error) {
      fail(error);
    } finally {
      // The same run may have been given to this runner anew meanwhile, under a higher fence.
      if (keptLeases.get(lease.leaseId) === own) keptLeases.delete(lease.leaseId);
    }
  }

  /** Every poll and every heartbeat says it; only a change is news. */
  function onDrainOrder(isOrdered: boolean): void {
    if (isOrdered !== isDrainOrdered) tell({ type: isOrdered ? 'drain_ordered' : 'drain_lifted' });
    isDrainOrdered = isOrdered;
  }

  /** An error that ends the runner; the first one counts. Its runs are handed back. */
  function fail(error: unknown): void {
    failures.push(error);
    draining.abort(error);
    const isRejected = error instanceof CredentialsRejectedError;
    stopping.abort(isRejected ? error : new ShutdownError('the runner ends because of an error'));
  }

  /**
   * A runner that was told to end does not wait for a bridge that is away. One that runs once waits until its own run is
   * delivered: nobody may start it again in this home.
   */
  async function settleDebts(debts: Debts): Promise<void> {
    const over = abortScope([hardStop.signal]);
    const mustEnd = new Promise<void>((resolve) => {
      if (!options.once || draining.signal.aborted) resolve();
      else void debts.ownSettled().then(resolve);
      draining.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const graceIsOver = mustEnd.then(() => clock.sleep(stopGraceMs, over.signal)).catch(() => {});
    await Promise.race([debts.settled(), graceIsOver]);
    over.abort(null);
    over.close();
    await debts.stop();
  }

  async function graceThenHardStop(): Promise<void> {
    await clock.sleep(stopGraceMs, ending.signal).catch(() => {});
    hardStop.abort(new CancelledError('the runner was stopped'));
  }

  function listen(): Promise<void> {
    return followControl({
      ...deps,
      signal: ending.signal,
      onPoll: () => pause.wake(),
      onHeartbeat: (leaseId) => keptLeases.get(leaseId)?.beatNow(),
      onHeard(isHeard) {
        areHintsHeard = isHeard;
        // What waits for its next heartbeat must not wait as long as it would with hints.
        if (!isHeard) for (const kept of keptLeases.values()) kept.beatNow();
      },
    });
  }
}
