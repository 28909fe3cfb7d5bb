import type { FlowRun } from '../../browser/execute-flow.ts';
import type { RunDeed } from '../../browser/step/run-deed.ts';
import { checkFlow } from '../../flow/check-flow.ts';
import { flowLength } from '../../flow/flow-length.ts';
import { type LocalSecrets, noSecrets } from '../../flow/local-secrets.ts';
import { abortScope } from '../../lib/abort-scope.ts';
import type { Clock } from '../../lib/clock.ts';
import { CancelledError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Lease } from '../../protocol/messages.ts';
import type { RunResult, StepEvent } from '../../protocol/run-result.ts';
import type { AgentEvent, LeaseDeed } from '../agent-event.ts';
import type { BridgeClient } from '../client/bridge-client.ts';
import type { RetryDeps } from '../client/retry.ts';
import type { Storage } from '../client/storage.ts';
import type { Identity } from '../credentials/identity.ts';
import { tookTooLong, whyNotUpload } from '../policy/refusals.ts';
import type { Spool } from '../spool/spool.ts';
import type { Picture } from '../spool/spool-layout.ts';
import { admitRun, type MachineRules } from './admit-run.ts';
import type { Debts } from './debts.ts';
import { deliver, type Owed } from './deliver.ts';
import { type KeptLease, keepLease } from './keep-lease.ts';
import type { LeaseEnd } from './lease-end.ts';
import { Outbox } from './outbox.ts';
import { emptyResult, endingOf, type Outcome, outcomeOfStop, outcomeOfThrown } from './run-outcome.ts';
import { createTurns } from './turns.ts';
import { type UploadedPicture, uploadPicture } from './upload.ts';

/**
 * The engine, as the runner needs it. Throws RunInterruptedError when what executed the run has ended (the browser was
 * killed), EnvironmentError when it cannot begin: neither is a verdict, and the run is handed back. When it returns after
 * `signal` fired with a reason to hand back, nothing of the run acts any more.
 */
export type ExecuteFlow = (
  run: FlowRun,
  hooks: {
    signal: AbortSignal;
    /** Resolves when steps may act; the page may be opened before. Rejects when they never may. */
    mayAct: Promise<void>;
    /**
     * Throws when the run is ours no more. Asked right before everything that acts, because `signal` may fire too late:
     * after a pause of the process, what acts may be due before what tells of the time.
     */
    ensureOurs(): void;
    /** Resolves when a step with side effects, which was told as started, may begin. Rejects when it never may. */
    sideEffectsMayBegin(): Promise<void>;
    /** Resolves when the verdict was delivered or dropped. Cleaning up before that competes with it for the processors. */
    settled: Promise<void>;
    onEvent(event: StepEvent): void;
    onDeed(deed: RunDeed): void;
    keepScreenshot(picture: Picture): Promise<UploadedPicture>;
  },
) => Promise<RunResult>;

export interface RunLeaseDeps extends RetryDeps {
  client: BridgeClient;
  storage: Storage;
  identity: Identity;
  clock: Clock;
  log: Log;
  spool: Pick<Spool, 'begin'>;
  /** Takes what cannot be delivered while the lease is ours. */
  debts: Pick<Debts, 'take'>;
  executeFlow: ExecuteFlow;
  rules: MachineRules;
  /** Variables whose values stay here; none when it is absent. */
  secrets?: LocalSecrets;
  /** Stops the run: ShutdownError hands it back, anything else drops it. */
  stopSignal: AbortSignal;
  /** Ends even the delivery; what is owed stays on disk. */
  hardStopSignal: AbortSignal;
  /** False while hints about orders may not get through. */
  areHintsHeard(): boolean;
  onKept(lease: KeptLease): void;
  onDrainOrder(isOrdered: boolean): void;
  tell(event: AgentEvent): void;
}

/**
 * The story of one lease: put down whose it is, check the flow, take the lease with the first heartbeat while the page
 * opens, execute, tell the events while executing, deliver how it ended. `acting` is the one source of cancellation;
 * whatever ends the run early stands in its reason. Throws only for bugs and for what ends the whole runner.
 */
export async function runLease(lease: Lease, deps: RunLeaseDeps): Promise<LeaseEnd> {
  const { client, clock, log, identity, tell, secrets = noSecrets } = deps;
  const { runId, leaseId, fence } = lease;
  const startedMs = clock.monotonicMs();
  const { runnerId } = identity.credentials;
  const header = { leaseId, fence, runId, runnerId, apiBaseUrl: client.apiBaseUrl };
  // Before the bridge hears that the lease is taken: the next life must know of it, whenever this one ends.
  const spool = await deps.spool.begin(header);
  const { policy } = deps.rules;
  const onDeed = (deed: RunDeed | LeaseDeed): void =>
    tell({ type: 'deed', runId, deed: secrets.redactor.deep(deed) });
  const acting = abortScope(
    [deps.stopSignal],
    policy === null || policy.maxRunMs === null
      ? undefined
      : { clock, timeoutMs: policy.maxRunMs, reason: () => tookTooLong(policy) },
  );
  const longestMs = policy?.maxRunMs ?? Number.POSITIVE_INFINITY;
  const overAtMs = clock.monotonicWithSleepMs() + longestMs;
  const delivering = abortScope([deps.hardStopSignal]);
  let markSettled: () => void = () => {};
  const settled = new Promise<void>((resolve) => {
    markSettled = resolve;
  });
  let nodeId: string | null = null;
  let toldSideEffects: Promise<void> | null = null;
  const kept = keepLease(lease, { ...deps, currentNodeId: () => nodeId, onEnd: stop, onCancelOrder });
  deps.onKept(kept);
  const outbox = new Outbox(lease, { ...deps, spool, signal: deps.hardStopSignal, onLost: stop });

  const outcome = await act();
  const end = await settle(outcome).finally(async () => {
    markSettled();
    acting.close();
    delivering.close();
    await kept.stop();
  });
  tell({ type: 'run_ended', runId, end, durationMs: Math.round(clock.monotonicMs() - startedMs) });
  if (outcome.kind === 'bug') throw outcome.error;
  return end;

  function stop(reason: Error): void {
    acting.abort(reason);
    // Without the lease the slot must not wait for a bridge that may be away for hours.
    if (!(reason instanceof CancelledError)) delivering.abort(reason);
  }

  function ensureOurs(): void {
    kept.ensureOurs();
    if (policy === null || clock.monotonicWithSleepMs() < overAtMs) return;
    stop(tookTooLong(policy));
    throw acting.signal.reason;
  }

  async function act(): Promise<Outcome> {
    const checked = checkFlow(lease.flow, lease.variables, secrets.names);
    const steps = checked.ok ? checked.steps : [];
    const { name = null, attempt } = lease;
    // Before that it may be somebody else's, and nothing of it has begun.
    const begun = kept.taken.then(() =>
      tell({ type: 'run_started', runId, name, attempt, ...flowLength(steps) }),
    );
    begun.catch(() => {});
    for (const warning of checked.warnings) log.warn(warning, { runId });
    let result: RunResult | null = null;
    try {
      result = await admitRun(lease, checked, { ...deps.rules, begun, onDeed });
      if (result === null) {
        result = await deps.executeFlow(
          { steps, variables: lease.variables, secrets },
          {
            signal: acting.signal,
            mayAct: begun,
            ensureOurs,
            sideEffectsMayBegin,
            settled,
            onEvent,
            onDeed,
            keepScreenshot,
          },
        );
      } else {
        await begun;
      }
    } catch (error) {
      if (!acting.signal.aborted) return outcomeOfThrown(error);
    }
    // A verdict the steps came to stands, even if something ended the run right after it.
    if (result !== null && (result.status !== 'cancelled' || !acting.signal.aborted)) {
      return { kind: 'result', result };
    }
    const elapsedMs = Math.round(clock.monotonicMs() - startedMs);
    return outcomeOfStop(acting.signal.reason, result ?? emptyResult(elapsedMs));
  }

  function onCancelOrder(): void {
    onDeed({ type: 'run_cancelled' });
  }

  function onEvent(event: StepEvent): void {
    nodeId = event.type === 'step_start' ? event.nodeId : null;
    outbox.push(event);
    tell({ type: 'step', runId, event });
  }

  /**
   * A run that is `auto` is delivered again only if no step with side effects had begun. The bridge must know of the first
   * one before it begins: this runner may be gone right after it, without a word.
   */
  function sideEffectsMayBegin(): Promise<void> {
    if (lease.onRedelivery !== 'auto') return Promise.resolve();
    toldSideEffects ??= outbox.stored();
    return toldSideEffects;
  }

  async function keepScreenshot(picture: Picture): Promise<UploadedPicture> {
    const [uploaded, onDisk] = await Promise.all([
      uploadPicture(lease, picture, { ...deps, signal: acting.signal, onDeed }),
      whyNotUpload(null, policy) === null ? spool.keepPicture(picture) : null,
    ]);
    if ('url' in uploaded) void onDisk?.drop();
    return uploaded;
  }

  async function settle(outcome: Outcome): Promise<LeaseEnd> {
    if (outcome.kind === 'lost') {
      outbox.stop();
      await spool.drop();
      return { kind: 'lost', why: outcome.why };
    }
    const ending = endingOf(outcome);
    const owed: Owed = {
      header,
      outbox,
      ending,
      isOnDisk: await spool.writeEnding(ending),
      pictures: () => spool.pictures(),
      force: () => spool.force(),
      drop: () => spool.drop(),
      keep: () => spool.keep(),
    };
    const pictureTurns = createTurns(1);
    const end = await deliver(owed, {
      ...deps,
      signal: delivering.signal,
      isLate: false,
      pictureTurns,
      onDeed,
    });
    if (end.kind === 'kept' && !deps.hardStopSignal.aborted) {
      deps.debts.take(owed);
      return end;
    }
    outbox.stop();
    await (end.kind === 'kept' ? owed.keep() : owed.drop());
    return end;
  }
}
