import type { RunDeed } from '../browser/step/run-deed.ts';
import type { FlowLength } from '../flow/flow-length.ts';
import type { StepEvent } from '../protocol/run-result.ts';
import type { LeaseEnd } from './lease/lease-end.ts';

/** What a runner tells whoever watches it; the command prints it. */
export type AgentEvent =
  /** The first poll was answered, or answered again after an outage. */
  | { type: 'connected' }
  | { type: 'disconnected'; error: string; hint: string | null; waitMs: number }
  | ({ type: 'run_started'; runId: string; name: string | null; attempt: number } & FlowLength)
  | { type: 'step'; runId: string; event: StepEvent }
  /** What was asked of this machine, or done by it, beyond the steps of the run. */
  | { type: 'deed'; runId: string; deed: RunDeed | LeaseDeed }
  | { type: 'run_ended'; runId: string; end: LeaseEnd; durationMs: number }
  /** What is owed about this run, from an earlier life of this runner or since an outage, is delivered beside the runs from now on. */
  | { type: 'debt_began'; runId: string }
  /** The end of that; still owed when it was `kept`. */
  | { type: 'debt_ended'; runId: string; end: LeaseEnd }
  /** The bridge gives this runner no further runs for now. */
  | { type: 'drain_ordered' }
  /** It gives runs again. */
  | { type: 'drain_lifted' };

/** What a lease brought, and what left this machine for it. Each is told before it is done. */
export type LeaseDeed =
  /** The bridge asks for this run. `flowSha256` is that of the flow's JSON text, `nodeTypes` are those of its steps, each once. */
  | {
      type: 'run_asked';
      leaseId: string;
      fence: number;
      attempt: number;
      name: string | null;
      steps: number;
      nodeTypes: readonly string[];
      flowSha256: string;
    }
  /** This machine does not execute it. */
  | { type: 'run_refused'; why: string }
  /** The bridge wants the run to end. */
  | { type: 'run_cancelled' }
  /** A picture is about to be sent to this host. */
  | { type: 'picture_leaves'; nodeId: string; host: string; bytes: number; sha256: string }
  /** A picture did not leave, or nobody knows whether it arrived. */
  | { type: 'picture_failed'; nodeId: string; why: string };
