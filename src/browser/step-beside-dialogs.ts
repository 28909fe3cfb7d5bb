import type { NodeType } from '../flow/node-types/node-types.ts';
import type { Step } from '../flow/step.ts';
import type { ActionDone } from './actions/scene.ts';
import type { RunDialogs } from './pages/run-dialogs.ts';
import { cut, StepFailure } from './step/step-error.ts';
import { canOpenDialog, leavesPageAlone, nextInPage } from './step/steps-ahead.ts';

/**
 * Runs the action of a step whose page may ask something meanwhile. Where a dialog step follows, what the page asks is held open
 * for it; and as the page stands still until it is answered, a step that has acted ends with that. What is left of the action may
 * act no more.
 */
export async function besideDialogs(
  { type, ahead }: { type: NodeType; ahead: () => Iterable<Step> },
  {
    dialogs,
    ensureMayAct,
    leave,
  }: {
    dialogs: RunDialogs;
    ensureMayAct: () => void;
    /** Gets what goes on when the dialog is answered. */
    leave: (work: Promise<ActionDone>) => void;
  },
  act: (ensureMayAct: () => void) => Promise<ActionDone>,
): Promise<ActionDone> {
  const isAnsweredNext = nextInPage(ahead()) === 'dialog';
  // Nobody answers what an earlier step left, and a step that is to act could not.
  if (!leavesPageAlone(type)) dialogs.release();
  if (leavesPageAlone(type)) {
    dialogs.begin(() => type === 'dialog' || isAnsweredNext);
    return act(ensureMayAct);
  }
  if (!isAnsweredNext || !canOpenDialog(type)) {
    dialogs.begin(() => false);
    return act(ensureMayAct);
  }
  let hasActed = false;
  let isOver = false;
  dialogs.begin(() => hasActed);
  const work = act(() => {
    if (isOver) throw new StepFailure('internal', 'the step ended with the dialog that it opened');
    ensureMayAct();
    hasActed = true;
  });
  const opened = dialogs.nextHeld().then(({ kind, message }) => ({
    logs: `The ${type} opened the ${kind} "${cut(message, 200)}"`,
  }));
  const done = await Promise.race([work, opened]);
  isOver = true;
  if (dialogs.held() !== null) leave(work);
  return done;
}
