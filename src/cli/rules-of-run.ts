import type { EngineConfig } from '../agent/config/agent-config.ts';
import { type LocalPolicy, readLocalPolicy } from '../agent/policy/local-policy.ts';
import { PolicyTimeoutError, tookTooLong, whyNotSteps } from '../agent/policy/refusals.ts';
import type { Block } from '../flow/step.ts';
import type { AbortScope } from '../lib/abort-scope.ts';
import { systemClock } from '../lib/clock.ts';
import { UsageError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { RunResult } from '../protocol/run-result.ts';
import { isRootProcess, rootWarning } from './root-rule.ts';

/** What holds for a flow that its own author executes: what was said on the command line, and a policy only if it was named. */
export interface RulesOfRun {
  policy: LocalPolicy | null;
  /** Aborts when the policy's longest run is over; ends with what is returned. */
  watchTime(run: Pick<AbortScope, 'abort'>): () => void;
  /** The verdict about a run that ended with `signal`: a failure, when it is the policy that ended it. */
  verdict(result: RunResult, signal: AbortSignal): RunResult;
}

/** Reads them. Throws UsageError when the policy refuses the flow, EnvironmentError when it is wrong. */
export async function rulesOfRun(config: EngineConfig, steps: Block, log: Log): Promise<RulesOfRun> {
  const warning = rootWarning({ isRoot: isRootProcess(), isRootAllowed: config.isRootAllowed });
  if (warning !== null) log.warn(warning);
  const policy = await readLocalPolicy(config.policyPath, { isNamed: true });
  const why = whyNotSteps(steps, policy);
  if (why !== null) throw new UsageError(why);
  return {
    policy,
    watchTime: (run) => (policy === null ? () => {} : watch(policy, run)),
    verdict: (result, { reason }) =>
      reason instanceof PolicyTimeoutError && result.status === 'cancelled'
        ? { ...result, status: 'failed', error: { code: 'policy', message: reason.message } }
        : result,
  };
}

function watch(policy: LocalPolicy, run: Pick<AbortScope, 'abort'>): () => void {
  const over = new AbortController();
  if (policy.maxRunMs !== null) {
    systemClock.sleep(policy.maxRunMs, over.signal).then(
      () => run.abort(tookTooLong(policy)),
      () => {},
    );
  }
  return () => over.abort();
}
