import { createHash } from 'node:crypto';
import type { CheckedFlow } from '../../flow/check-flow.ts';
import { stepsIn } from '../../flow/step.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import type { Lease } from '../../protocol/messages.ts';
import type { RunResult } from '../../protocol/run-result.ts';
import type { LeaseDeed } from '../agent-event.ts';
import type { LocalPolicy } from '../policy/local-policy.ts';
import { whyNotSteps } from '../policy/refusals.ts';
import { invalidFlow } from './run-outcome.ts';

/** What this machine lets a run do. */
export interface MachineRules {
  /** Null where its owner has laid down none. */
  policy: LocalPolicy | null;
  /** Why no run at all may begin now; null when it may. */
  whyNoRun(): string | null;
}

/**
 * Puts down what the bridge asks for, before anything is opened. Gives the verdict about a run that is not executed here:
 * a flow that cannot run, or that the policy refuses; null for one that is. Throws EnvironmentError when none may begin.
 */
export async function admitRun(
  lease: Lease,
  checked: CheckedFlow,
  { policy, whyNoRun, begun, onDeed }: MachineRules & { begun: Promise<void>; onDeed(deed: LeaseDeed): void },
): Promise<RunResult | null> {
  const flow = checked.ok ? checked.steps : [];
  const steps = stepsIn(flow);
  onDeed({
    type: 'run_asked',
    leaseId: lease.leaseId,
    fence: lease.fence,
    attempt: lease.attempt,
    name: lease.name ?? null,
    steps: steps.length,
    nodeTypes: [...new Set(steps.map(({ type }) => type))],
    flowSha256: createHash('sha256').update(JSON.stringify(lease.flow)).digest('hex'),
  });
  const hindrance = whyNoRun();
  if (hindrance !== null) {
    // A run that is handed back before it was taken counts as no attempt, and would come again at once.
    await begun;
    onDeed({ type: 'run_refused', why: hindrance });
    throw new EnvironmentError(hindrance);
  }
  if (!checked.ok) return invalidFlow(checked.problems);
  const why = whyNotSteps(flow, policy);
  if (why === null) return null;
  onDeed({ type: 'run_refused', why });
  return { status: 'failed', durationMs: 0, stepsResult: [], error: { code: 'policy', message: why } };
}
