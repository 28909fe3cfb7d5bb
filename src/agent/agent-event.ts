import type { RunDeed } from '../browser/run-deed.ts';
import type { StepEvent } from '../protocol/run-result.ts';
import type { LeaseEnd } from './lease/lease-end.ts';

/** What a runner tells whoever watches it; the command prints it. */
export type AgentEvent =
  /** The first poll was answered, or answered again after an outage. */
  | { type: 'connected' }
  | { type: 'disconnected'; error: string; hint: string | null; waitMs: number }
  | { type: 'run_started'; runId: string; name: string | null; attempt: number; steps: number }
  | { type: 'step'; runId: string; event: StepEvent }
  /** What the run did here beyond its steps. */
  | { type: 'deed'; runId: string; deed: RunDeed }
  | { type: 'run_ended'; runId: string; end: LeaseEnd; durationMs: number }
  /** What is owed about this run, from an earlier life of this runner or since an outage, is delivered beside the runs from now on. */
  | { type: 'debt_began'; runId: string }
  /** The end of that; still owed when it was `kept`. */
  | { type: 'debt_ended'; runId: string; end: LeaseEnd }
  /** The bridge gives this runner no further runs for now. */
  | { type: 'drain_ordered' }
  /** It gives runs again. */
  | { type: 'drain_lifted' };
