import { relative } from 'node:path';
import type { StepEvent } from '../../protocol/run-result.ts';
import type { Verdict } from '../../report/reported-run.ts';
import type { QueuedRun } from './flow-queue.ts';

/** Tells a person, or a program, how runs go. */
export interface RunTeller {
  onEvent(event: StepEvent): void;
  onTryFailed(run: QueuedRun, left: number): void;
  onEnd(run: QueuedRun, verdict: Verdict): void;
  /** Says how all of it came out. */
  end(runs: readonly QueuedRun[], wallMs: number): void;
}

/** Where a trace is, and what opens it. */
export function traceLine(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return `trace: ${shown}  (to open it: npx playwright show-trace ${shown})`;
}
