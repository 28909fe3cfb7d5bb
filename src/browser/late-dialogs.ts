import type { RunVariables } from '../flow/run-variables.ts';
import type { Clock } from '../lib/clock.ts';
import type { Redactor } from '../lib/redactor.ts';
import type { StepResult } from '../protocol/run-result.ts';
import { missingDialog } from './actions/answer-dialog.ts';
import type { ArmedDialog, RunDialogs } from './pages/run-dialogs.ts';
import { cut } from './step/step-error.ts';
import { withinMs } from './step/time-budget.ts';

/**
 * What became of the answers that dialog steps had laid ready, now that another step has ended: variables are set, and what
 * went wrong is a further result of the dialog step. With `isOver`, when no step is left, dialogs that must come are waited for.
 */
export async function lateDialogResults(
  dialogs: RunDialogs,
  given: { variables: RunVariables; redactor: Redactor; clock: Clock; halt: AbortSignal; isOver: boolean },
): Promise<StepResult[]> {
  const { variables, redactor, clock, halt, isOver } = given;
  if (isOver) await untilTheyCame(dialogs, clock, halt);
  const faults: { armed: ArmedDialog; fault: string; kind: 'assertion' | 'timeout' }[] = [];
  for (const { armed, dialog, fault } of dialogs.takeLate()) {
    if (fault !== null) faults.push({ armed, fault, kind: 'assertion' });
    else if (armed.variable !== undefined) variables.set(armed.variable, redactor.text(dialog.message));
  }
  if (isOver && !halt.aborted) {
    for (const armed of dialogs.missing()) faults.push({ armed, fault: missingDialog(), kind: 'timeout' });
  }
  return faults.map(({ armed, fault, kind }) => ({
    nodeId: armed.nodeId,
    type: 'dialog',
    status: 'failed',
    durationMs: 0,
    error: cut(redactor.text(fault)),
    errorKind: kind,
    ...(armed.isSoft ? { soft: true } : {}),
  }));
}

/** A dialog may come a while after the step that leads to it. */
async function untilTheyCame(dialogs: RunDialogs, clock: Clock, halt: AbortSignal): Promise<void> {
  for (;;) {
    const untilMs = Math.max(...dialogs.missing().map((armed) => armed.untilMs));
    const leftMs = untilMs - clock.monotonicMs();
    if (!(leftMs > 0) || halt.aborted) return;
    await withinMs(dialogs.nextArmed(), leftMs, clock, halt).catch(() => null);
  }
}
