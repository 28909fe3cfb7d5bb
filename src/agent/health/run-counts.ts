import type { AgentEvent } from '../agent-event.ts';

/** What a life of a runner did so far. */
export interface RunCounts {
  /** Runs by how they ended: `passed`, `failed`, …, `handed_back`, `lost`, `kept`. */
  readonly runs: ReadonlyMap<string, number>;
  /** Steps by status. */
  readonly steps: ReadonlyMap<string, number>;
  readonly running: number;
  /** Runs that are over here and not delivered yet. */
  readonly owed: number;
  /** Polls that got no answer. */
  readonly failedPolls: number;
  /** What the last poll failed with; null when it was answered, or none was sent yet. */
  readonly pollError: string | null;
  /** Runs in a row that were handed back because the browser could not be started. */
  readonly startsFailed: number;
  onEvent(event: AgentEvent): void;
}

/** Counts from zero. */
export function createRunCounts(): RunCounts {
  const runs = new Map<string, number>([
    ['passed', 0],
    ['failed', 0],
  ]);
  const steps = new Map<string, number>([
    ['passed', 0],
    ['failed', 0],
  ]);
  // By id: a run may end before it was ever told as started.
  const running = new Set<string>();
  const counts = {
    runs,
    steps,
    get running() {
      return running.size;
    },
    owed: 0,
    failedPolls: 0,
    pollError: null as string | null,
    startsFailed: 0,
    onEvent(event: AgentEvent): void {
      switch (event.type) {
        case 'connected':
          counts.pollError = null;
          return;
        case 'disconnected':
          counts.failedPolls += 1;
          counts.pollError = event.error;
          return;
        case 'run_started':
          running.add(event.runId);
          return;
        case 'step':
          if (event.event.type === 'step_complete') add(steps, event.event.status);
          return;
        case 'run_ended':
          running.delete(event.runId);
          add(runs, endOf(event));
          counts.startsFailed = isStartFailure(event) ? counts.startsFailed + 1 : 0;
          return;
        case 'debt_began':
          counts.owed += 1;
          return;
        case 'debt_ended':
          if (event.end.kind !== 'kept') counts.owed -= 1;
          return;
        default:
          return;
      }
    },
  };
  return counts;
}

function endOf({ end }: Extract<AgentEvent, { type: 'run_ended' }>): string {
  switch (end.kind) {
    case 'delivered':
      return end.status;
    case 'released':
      return 'handed_back';
    default:
      return end.kind;
  }
}

function isStartFailure({ end }: Extract<AgentEvent, { type: 'run_ended' }>): boolean {
  return end.kind === 'released' && end.reason === 'cannot_start';
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
