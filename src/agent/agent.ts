import type { Clock } from '../lib/clock.ts';
import { CancelledError, CredentialsRejectedError, errorText } from '../lib/errors.ts';
import { exitCode } from '../lib/exit-code.ts';
import type { Log } from '../lib/log.ts';
import type { Capabilities, Lease } from '../protocol/messages.ts';
import { abortScope } from './abort-scope.ts';
import type { AgentEvent } from './agent-event.ts';
import type { BridgeClient } from './bridge-client.ts';
import { UpgradeRequiredError } from './bridge-errors.ts';
import { followControl } from './control-stream.ts';
import { deliverLeftovers } from './deliver-leftovers.ts';
import type { Identity } from './identity.ts';
import type { KeptLease } from './keep-lease.ts';
import { leaseLoop } from './lease-loop.ts';
import type { RetryDeps } from './retry.ts';
import { isRotationDue, rotateKey } from './rotation.ts';
import { type ExecuteFlow, runLease, ShutdownError } from './run-lease.ts';
import { readLeftovers } from './spool.ts';
import { openStatusFile } from './status-file.ts';
import type { Transport } from './transport.ts';
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
  capabilities: Capabilities;
  version: string;
  pid: number;
}

export interface AgentDeps extends RetryDeps {
  client: BridgeClient;
  transport: Transport;
  identity: Identity;
  clock: Clock;
  log: Log;
  executeFlow: ExecuteFlow;
  /** No further runs; those under way are finished. */
  drainSignal: AbortSignal;
  /** Runs are stopped with its reason (a ShutdownError) and handed back. */
  stopSignal: AbortSignal;
  tell(event: AgentEvent): void;
}

/** After a stop, runs that cannot be handed back in this time stay in the spool. */
const stopGraceMs = 10_000;
/** How often a due rotation is looked for, and how long one that failed waits. */
const rotationCheckMs = 60_000;

/**
 * The runner: delivers what an earlier life owed, takes leases, renews its key, listens for hints; until drained, stopped,
 * or ended by an error that no runner can go on with, which is thrown. Nothing of it is left when this resolves.
 */
export async function runAgent(options: AgentOptions, deps: AgentDeps): Promise<StopReason> {
  const { clock, log, identity, client, random } = deps;
  const status = openStatusFile(
    options.home,
    { pid: options.pid, version: options.version, runnerId: identity.credentials.runnerId },
    deps,
  );
  const tell = (event: AgentEvent): void => {
    status.onEvent(event);
    deps.tell(event);
  };
  const draining = abortScope([deps.drainSignal, deps.stopSignal]);
  const stopping = abortScope([deps.stopSignal]);
  const hardStop = abortScope([]);
  /** Ends what goes on beside the runs: hints, rotation, leftovers. */
  const ending = abortScope([]);
  const keptLeases = new Map<string, KeptLease>();
  const pause = createWakeUp(clock);
  const failures: unknown[] = [];

  draining.signal.addEventListener('abort', () => status.draining(), { once: true });
  stopping.signal.addEventListener('abort', () => void graceThenHardStop(), { once: true });
  // Read before the first lease opens a spool of its own, so that the two cannot be mistaken for each other.
  const leftovers = await readLeftovers(options.home, log);
  const beside = [
    deliverLeftovers(leftovers, { ...deps, tell, signal: ending.signal }),
    renewKeys(),
    listen(),
  ];

  try {
    await leaseLoop(options, { ...deps, drainSignal: draining.signal, pause, tell, runLease: execute });
  } catch (error) {
    fail(error);
  }
  ending.abort(new CancelledError('the runner ends'));
  await Promise.all(beside);
  draining.close();
  stopping.close();
  await status.close();
  if (failures.length > 0) throw failures[0];
  if (deps.stopSignal.aborted) return 'stopped';
  return options.once && !deps.drainSignal.aborted ? 'once' : 'drained';

  async function execute(lease: Lease): Promise<void> {
    try {
      await runLease(lease, {
        ...deps,
        home: options.home,
        tell,
        stopSignal: stopping.signal,
        hardStopSignal: hardStop.signal,
        onKept: (kept) => keptLeases.set(lease.leaseId, kept),
        onDrain: () => tell({ type: 'drain_ordered' }),
      });
    } catch (error) {
      fail(error);
    } finally {
      keptLeases.delete(lease.leaseId);
    }
  }

  /**
   * An error that ends the runner; the first one counts. Where the bridge refuses this runner nothing can be delivered any
   * more; otherwise the other runs are handed back.
   */
  function fail(error: unknown): void {
    failures.push(error);
    draining.abort(error);
    const isRefused = error instanceof CredentialsRejectedError || error instanceof UpgradeRequiredError;
    if (isRefused) hardStop.abort(error);
    stopping.abort(isRefused ? error : new ShutdownError('the runner ends because of an error'));
  }

  async function graceThenHardStop(): Promise<void> {
    await clock.sleep(stopGraceMs, ending.signal).catch(() => {});
    hardStop.abort(new CancelledError('the runner was stopped'));
  }

  async function renewKeys(): Promise<void> {
    while (!ending.signal.aborted) {
      if (isRotationDue(identity, clock.nowMs())) {
        await rotateKey(identity, client, { log, signal: ending.signal }).catch((error: unknown) => {
          if (error instanceof CredentialsRejectedError) fail(error);
          else if (!ending.signal.aborted) log.warn(`the credentials were not renewed: ${errorText(error)}`);
        });
      }
      // The random part keeps a fleet that was paired together from renewing together.
      await clock.sleep(rotationCheckMs * (0.5 + random()), ending.signal).catch(() => {});
    }
  }

  function listen(): Promise<void> {
    return followControl({
      ...deps,
      signal: ending.signal,
      onPoll: () => pause.wake(),
      onHeartbeat: (leaseId) => keptLeases.get(leaseId)?.beatNow(),
    });
  }
}
