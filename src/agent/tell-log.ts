import { countText, type FlowLength, lengthText } from '../flow/flow-length.ts';
import type { Clock } from '../lib/clock.ts';
import { duration } from '../lib/duration.ts';
import type { Log, LogFields } from '../lib/log.ts';
import { outageReminder } from '../lib/reminder.ts';
import type { AgentEvent } from './agent-event.ts';
import type { LeaseEnd } from './lease/lease-end.ts';

/**
 * Writes what the runner tells into a log: for a person one line a step, for a program one line with fields. Errors of a
 * tested site are information, not errors of the runner. An outage is told when it begins and once an hour.
 */
export function tellLog(
  log: Log,
  { isForPeople, clock }: { isForPeople: boolean; clock: Pick<Clock, 'monotonicMs'> },
): (event: AgentEvent) => void {
  const outage = outageReminder(clock);
  const runs = new Map<string, FlowLength & { done: number }>();
  const info = (message: string, fields: LogFields): void => log.info(message, isForPeople ? {} : fields);

  return (event) => {
    switch (event.type) {
      case 'connected':
        outage.forget();
        return info('connected; waiting for runs', {});
      case 'disconnected': {
        if (!outage.isDue(event.error)) return;
        const hint = event.hint === null ? '' : ` ${event.hint}`;
        return log.warn(`${event.error}; no runs are taken until it answers.${hint}`);
      }
      case 'drain_ordered':
        return log.warn('the operators drain this runner: it is given no further runs for now');
      case 'drain_lifted':
        return info('the operators give this runner runs again', {});
      case 'run_started': {
        const { runId, name, attempt, steps, isStraight } = event;
        runs.set(runId, { steps, isStraight, done: 0 });
        const again = attempt > 1 ? `, attempt ${attempt}` : '';
        return info(`run ${short(runId)}${name === null ? '' : ` "${name}"`}: ${lengthText(event)}${again}`, {
          runId,
          name,
          attempt,
          steps,
        });
      }
      case 'step': {
        if (event.event.type !== 'step_complete') return;
        const { nodeId, status, durationMs, error, logs } = event.event;
        const run = runs.get(event.runId) ?? { steps: 0, isStraight: false, done: 0 };
        run.done += 1;
        const text = firstLine(error ?? logs ?? nodeId);
        const mark = status === 'passed' ? 'ok  ' : 'FAIL';
        return info(`  ${mark} ${countText(run.done, run)} ${text} (${duration(durationMs)})`, {
          runId: event.runId,
          nodeId,
          status,
          durationMs,
        });
      }
      case 'run_ended': {
        runs.delete(event.runId);
        const { runId, end, durationMs } = event;
        return info(`run ${short(runId)} ${endText(end, ` after ${duration(durationMs)}`)}`, {
          runId,
          durationMs,
          ...end,
        });
      }
      case 'deed':
      case 'debt_began':
        return;
      case 'debt_ended':
        return info(`run ${short(event.runId)}, owed from before: ${endText(event.end)}`, {
          runId: event.runId,
          ...event.end,
        });
    }
  };
}

function endText(end: LeaseEnd, after = ''): string {
  switch (end.kind) {
    case 'delivered':
      return `${end.status}${after}`;
    case 'released':
      return `handed back (${end.reason})${after}`;
    case 'lost':
      return `dropped${after} (${end.why})`;
    case 'kept':
      return `not delivered yet${after} (${end.why}); it is kept ${end.isOnDisk ? 'on disk' : 'in memory only'} until the bridge has it`;
  }
}

function short(runId: string): string {
  return runId.slice(0, 8);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
