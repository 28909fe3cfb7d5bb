import type { RunUpdate } from '../../protocol/run-result.ts';
import { hasNoRoom, isOutage } from '../outage.ts';
import { type EventLog, fromTheFirst } from './event-log.ts';

/**
 * Adds updates to the log, after those of the run that are late (`hasLate`). While the log cannot be reached or is full, they are late
 * too: a runner must not keep events and results to itself, and its slot busy, for as long as that takes.
 */
export async function addOrKeep(
  log: EventLog,
  runId: string,
  updates: readonly RunUpdate[],
  hasLate: boolean,
): Promise<void> {
  try {
    if (hasLate) await addLate(log, runId);
    await log.add(runId, updates);
  } catch (error) {
    if (log.late === undefined || !(isOutage(error) || hasNoRoom(error))) throw error;
    await log.late.keep(runId, updates);
  }
}

/** Adds the late updates of a run to the log, which passes over those it has. Several bridges may do so at once. */
export async function addLate({ late, ...log }: EventLog, runId: string): Promise<void> {
  if (late === undefined) return;
  for (;;) {
    const updates = await late.read(runId, fromTheFirst);
    const last = updates.at(-1);
    if (last === undefined) return;
    await log.add(runId, updates);
    await late.drop(runId, last);
  }
}
