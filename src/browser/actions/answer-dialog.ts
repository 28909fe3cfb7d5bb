import type { DataOf } from '../../flow/node-types/node-types.ts';
import { duration } from '../../lib/duration.ts';
import type { ArmedDialog, SeenDialog } from '../pages/run-dialogs.ts';
import { cut, StepFailure } from '../step/step-error.ts';
import { mayOpenDialog } from '../step/steps-ahead.ts';
import { comparisonWith } from './compare.ts';
import type { ActionDone, Scene } from './scene.ts';

/**
 * Answers the dialog that is held open, which the step before has opened. Where none is, the answer is laid ready for the next
 * one and the flow goes on; only where no later step could open it, a dialog that must come is waited for.
 */
export async function answerDialog(data: DataOf<'dialog'>, scene: Scene): Promise<ActionDone> {
  const { dialogs, budget, ahead, clock, nodeId, ensureMayAct } = scene;
  const { required: isRequired = true, soft: isSoft = false } = data;
  const answer = { accepts: data.action !== 'dismiss', text: data.text };
  const faultOf = faultsOf(data);
  if (dialogs.held() === null && (!isRequired || mayOpenDialog(ahead()))) {
    const untilMs = clock.monotonicMs() + budget.timeoutMs;
    const { kind, variable } = data;
    dialogs.arm({ ...answer, nodeId, kind, faultOf, isRequired, isSoft, variable, untilMs });
    return { logs: `The next ${kind ?? 'dialog'} will be ${answer.accepts ? 'accepted' : 'dismissed'}` };
  }
  const seen = await budget.spend(dialogs.nextHeld());
  if (seen === null) throw new StepFailure('timeout', missingDialog(budget.timeoutMs));
  ensureMayAct();
  await budget.spend(dialogs.answer(answer));
  // The step that opened it goes on, as far as it can: up to its end, or to the next dialog, for the next step to answer.
  const left = await budget.spend(Promise.race([dialogs.left(), dialogs.nextHeld()]));
  if (left instanceof StepFailure) throw left;
  const fault = faultOf(seen);
  if (fault !== null) throw new StepFailure('assertion', fault);
  return {
    logs: `${answer.accepts ? 'Accepted' : 'Dismissed'} ${named(seen)}`,
    ...(data.variable === undefined ? {} : { extracted: { variable: data.variable, value: seen.message } }),
  };
}

/** That no dialog came, in words. */
export function missingDialog(timeoutMs?: number): string {
  return `no dialog came${timeoutMs === undefined ? ' for the answer that was laid ready' : ` within ${duration(timeoutMs)}`}`;
}

/** Says what is wrong with a dialog. A pattern that cannot be used is told before any dialog comes. */
function faultsOf({ kind, message, match = 'exact' }: DataOf<'dialog'>): ArmedDialog['faultOf'] {
  const isWanted = message === undefined ? null : comparisonWith(message, match);
  return (seen) => {
    if (kind !== undefined && seen.kind !== kind) return `${named(seen)} came where ${kind} was expected`;
    try {
      if (isWanted === null || isWanted(seen.message)) return null;
    } catch (error) {
      if (error instanceof StepFailure) return error.message;
      throw error;
    }
    return `${named(seen)} came where ${match === 'exact' ? '' : `${match} `}"${cut(message ?? '', 200)}" was expected`;
  };
}

function named({ kind, message }: SeenDialog): string {
  return kind === 'beforeunload' ? 'the question whether to leave the page' : `the ${kind} "${message}"`;
}
