import type { Clock } from '../lib/clock.ts';
import { CredentialsRejectedError, errorText, LeaseLostError, RefusedError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { limits } from '../protocol/limits.ts';
import { bodyLimitOf } from '../protocol/routes.ts';
import type { NumberedEvent, RunResult } from '../protocol/run-result.ts';
import { abortScope } from './abort-scope.ts';
import type { BridgeClient } from './bridge-client.ts';
import { NoAnswerError, UpgradeRequiredError } from './bridge-errors.ts';
import type { LeaseEnd } from './lease-end.ts';
import { type RetryDeps, withRetry } from './retry.ts';

export interface DeliverDeps extends RetryDeps {
  client: BridgeClient;
  clock: Clock;
  log: Log;
  /** Ends the attempts; what is owed stays on disk. */
  signal: AbortSignal;
}

/** Longest a runner tries to hand a run back; the bridge takes it back by itself soon after. */
const releaseMs = 10_000;

/** Sends the result, and events that ride with it, until the bridge has it, does not want it, or `signal` ends it. */
export async function deliverResult(
  { leaseId, fence }: { leaseId: string; fence: number },
  { result, lastEvents }: { result: RunResult; lastEvents: readonly NumberedEvent[] },
  deps: DeliverDeps,
): Promise<LeaseEnd> {
  const riding = lastEvents.length === 0 ? {} : { lastEvents: [...lastEvents] };
  const { client, log, signal } = deps;
  const send = (body: RunResult) =>
    withRetry(
      () =>
        client.call('postResult', { params: { leaseId }, body: { fence, result: body, ...riding }, signal }),
      { signal, onRetry: ({ message }) => log.warn(`the result waits: ${message}`, { leaseId }) },
      deps,
    );
  try {
    const { status } = await send(fitted(result)).catch((error: unknown) => {
      if (!(error instanceof RefusedError)) throw error;
      // A run must not hang until its lease ends because the bridge does not take this form of its result.
      log.error(`the bridge refused the result: ${error.message}`, { problems: error.problems });
      return send({
        status: result.status,
        durationMs: result.durationMs,
        stepsResult: [],
        error: { code: 'result_refused', message: error.message, problems: [...error.problems] },
      });
    });
    return { kind: 'delivered', status };
  } catch (error) {
    return endOf(error, signal);
  }
}

/** Hands a run back. */
export async function deliverRelease(
  { leaseId, fence }: { leaseId: string; fence: number },
  { reason, detail }: { reason: 'cannot_start' | 'shutdown' | 'interrupted'; detail: string },
  deps: DeliverDeps,
): Promise<LeaseEnd> {
  const scope = abortScope([deps.signal], {
    clock: deps.clock,
    timeoutMs: releaseMs,
    reason: () => new NoAnswerError('the run could not be handed back in time'),
  });
  try {
    await withRetry(
      () =>
        deps.client.call('releaseLease', {
          params: { leaseId },
          body: { fence, reason, detail },
          signal: scope.signal,
        }),
      { signal: scope.signal, capMs: 2_000 },
      deps,
    );
    return { kind: 'released', reason };
  } catch (error) {
    return endOf(error, scope.signal);
  } finally {
    scope.close();
  }
}

function endOf(error: unknown, signal: AbortSignal): LeaseEnd {
  if (error instanceof LeaseLostError) return { kind: 'lost', why: error.message };
  const isOwed =
    signal.aborted ||
    error instanceof NoAnswerError ||
    error instanceof CredentialsRejectedError ||
    error instanceof UpgradeRequiredError;
  if (isOwed) return { kind: 'kept', why: errorText(error) };
  if (error instanceof RefusedError) return { kind: 'lost', why: error.message };
  throw error;
}

/** The result as large as its route takes: logs of passed steps go first, then texts get shorter. */
function fitted(result: RunResult): RunResult {
  const limit = bodyLimitOf('postResult') - limits.eventBatchBytes - 1_024;
  const isFitting = (candidate: RunResult): boolean => Buffer.byteLength(JSON.stringify(candidate)) <= limit;
  if (isFitting(result)) return result;
  const withoutLogs = result.stepsResult.map(({ logs: _logs, ...step }) => step);
  const shorter = withoutLogs.map(({ extracted: _extracted, healed: _healed, ...step }) => ({
    ...step,
    ...(step.error === undefined ? {} : { error: step.error.slice(0, 500) }),
  }));
  const candidates = [withoutLogs, shorter].map((stepsResult) => ({ ...result, stepsResult }));
  return candidates.find(isFitting) ?? { ...result, stepsResult: shorter.slice(-100) };
}
