import { type Job, WaitingError } from 'bullmq';
import type { FlowLength } from '../../flow/flow-length.ts';
import type { Log } from '../../lib/log.ts';
import { type EventPosition, isAfter } from '../events/event-log.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { type JobResult, jobResult, type RunOutcome, readOutcomes } from './run-outcome.ts';

/**
 * The jobs this bridge holds in BullMQ while their runs wait and execute. A job is settled when the rows say that its run is
 * over, whichever bridge wrote that; a hint only says when to look.
 */
export interface HeldRuns {
  /** Resolves or rejects as the job is to be settled. Rejects with WaitingError when the job goes to another bridge. */
  hold(run: { runId: string; length: FlowLength }, job: Job, token: string): Promise<JobResult>;
  /** Ids of the runs that are held. */
  runIds(): string[];
  /** Jobs beyond the first of each run. */
  spare(): number;
  /** Settles those of these runs that are over. */
  settle(runIds: readonly string[]): Promise<void>;
  /** Lets go of jobs that are not this bridge's any more: their locks ran out, so that BullMQ gives them to somebody. */
  forget(queue: string, jobIds: readonly string[]): void;
  /** Passes progress on to BullMQ, where it has changed. */
  tellProgress(): void;
  /** Puts every job of the queue back to where it came from; the first one held is the first one again. */
  giveBack(queue: string): Promise<void>;
  /** Lets go of every job of the queue without a word to BullMQ, which cannot be reached; their locks run out. */
  abandon(queue: string): void;
  /** Ends listening to hints. */
  stop(): void;
}

interface HeldJob {
  job: Job;
  token: string;
  resolve(result: JobResult): void;
  reject(error: unknown): void;
  /** Percent that BullMQ was told last; null before the first time. */
  told: number | null;
  isTelling: boolean;
}

interface HeldRun {
  runId: string;
  length: FlowLength;
  /** Of the last update that was heard of; a run that is given out again starts anew. */
  position: EventPosition;
  /** Several when the backend added several, or a job came back before its lock was missed. */
  jobs: HeldJob[];
}

export function heldRuns(deps: Pick<LeaseDeps, 'db' | 'hints'> & { log: Log }): HeldRuns {
  const { hints, log } = deps;
  const held = new Map<string, HeldRun>();
  /** Runs said to be over since the last look. */
  let over = new Set<string>();
  let isLooking = false;
  /** Runs whose progress has changed since it was passed on. */
  const moved = new Set<HeldRun>();

  const unsubscribe = hints.subscribe((hint) => {
    if (hint.about !== 'run') return;
    const run = held.get(hint.runId);
    if (run === undefined) return;
    if (hint.isOver) {
      over.add(run.runId);
      void lookAtOver();
    } else if (hint.position !== undefined && isAfter(hint.position, run.position)) {
      run.position = hint.position;
      moved.add(run);
    }
  });

  // What ends while a look is under way is looked at together in the next one.
  async function lookAtOver(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      while (over.size > 0) {
        const runIds = [...over];
        over = new Set();
        await settle(runIds);
      }
    } catch (error) {
      // The regular look finds them.
      log.debug('ended runs could not be looked at', { error });
    } finally {
      isLooking = false;
    }
  }

  async function settle(runIds: readonly string[]): Promise<void> {
    const ours = runIds.filter((runId) => held.has(runId));
    if (ours.length === 0) return;
    for (const outcome of await readOutcomes(deps, ours)) settleRun(outcome);
  }

  function settleRun(outcome: RunOutcome): void {
    const run = held.get(outcome.runId);
    if (run === undefined) return;
    held.delete(run.runId);
    moved.delete(run);
    const settled = new Set<string>();
    // The newest delivery of a job has its lock; older ones of the same job have nothing to say to BullMQ.
    for (const one of run.jobs.reverse()) {
      const job = `${one.job.queueName} ${one.job.id}`;
      if (settled.has(job)) one.reject(new WaitingError());
      else finish(one, outcome);
      settled.add(job);
    }
  }

  function finish(one: HeldJob, outcome: RunOutcome): void {
    let result: JobResult;
    try {
      result = jobResult(outcome);
    } catch (error) {
      one.reject(error);
      return;
    }
    // A run that passed has arrived, also one too short for its bar to have moved.
    if (one.told !== 100) void one.job.updateProgress(100).catch(() => {});
    one.resolve(result);
  }

  function jobsOf(queue: string): { run: HeldRun; one: HeldJob }[] {
    return [...held.values()].flatMap((run) =>
      run.jobs.filter(({ job }) => job.queueName === queue).map((one) => ({ run, one })),
    );
  }

  function drop(run: HeldRun, one: HeldJob): void {
    run.jobs = run.jobs.filter((other) => other !== one);
    if (run.jobs.length === 0) {
      held.delete(run.runId);
      moved.delete(run);
    }
    one.reject(new WaitingError());
  }

  async function tell(run: HeldRun, one: HeldJob): Promise<void> {
    const percent = percentOf(run);
    if (one.isTelling || one.told === percent || (one.told === null && percent === 0)) return;
    one.isTelling = true;
    try {
      await one.job.updateProgress(percent);
    } catch (error) {
      log.debug('progress of a run could not be passed on', { runId: run.runId, error });
    } finally {
      one.told = percent;
      one.isTelling = false;
      if (percentOf(run) !== percent && held.get(run.runId) === run) moved.add(run);
    }
  }

  return {
    hold({ runId, length }, job, token) {
      return new Promise((resolve, reject) => {
        const run = held.get(runId) ?? { runId, length, position: { fence: 0, seq: 0 }, jobs: [] };
        run.jobs.push({ job, token, resolve, reject, told: null, isTelling: false });
        held.set(runId, run);
      });
    },
    runIds: () => [...held.keys()],
    spare() {
      let count = 0;
      for (const { jobs } of held.values()) count += jobs.length - 1;
      return count;
    },
    settle,
    forget(queue, jobIds) {
      const lost = new Set<string | undefined>(jobIds);
      for (const { run, one } of jobsOf(queue)) if (lost.has(one.job.id)) drop(run, one);
    },
    tellProgress() {
      for (const run of moved) {
        moved.delete(run);
        for (const one of run.jobs) void tell(run, one);
      }
    },
    async giveBack(queue) {
      const all = jobsOf(queue);
      // Each goes to the head, so that the last one that does is the first one there.
      await Promise.all(
        all.reverse().map(async ({ run, one }) => {
          try {
            await one.job.moveToWait(one.token);
          } catch (error) {
            log.debug('a job could not be put back; its lock runs out', { runId: run.runId, error });
          }
          drop(run, one);
        }),
      );
    },
    abandon(queue) {
      for (const { run, one } of jobsOf(queue)) drop(run, one);
    },
    stop: unsubscribe,
  };
}

// Steps start and complete in turn, each with one update, so that every second one completes a step. Where nobody knows how many
// will be executed, it is taken that all of the flow's steps are still to come: it always moves on, and never says that all is done.
function percentOf({ length: { steps, isStraight }, position }: HeldRun): number {
  if (steps === 0) return 0;
  const executed = Math.floor(position.seq / 2);
  return Math.min(100, Math.floor((100 * executed) / (isStraight ? steps : executed + steps)));
}
