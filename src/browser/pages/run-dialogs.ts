import type { BrowserContext, Dialog } from 'playwright-core';
import { limits } from '../../protocol/limits.ts';
import { cut, type StepFailure } from '../step/step-error.ts';

/** A dialog of a page, as a step sees it. */
export interface SeenDialog {
  kind: string;
  message: string;
}

/** What a page's dialog gets to hear. */
interface DialogAnswer {
  accepts: boolean;
  /** For a prompt; what the page proposes where nothing is said. */
  text?: string | undefined;
}

/** The answer that a step has laid ready for a dialog to come. */
export interface ArmedDialog extends DialogAnswer {
  nodeId: string;
  /** `beforeunload` is only for those; every other kind takes any other dialog, and says so where it is the wrong one. */
  kind: string | undefined;
  /** What is wrong with the dialog that came, null when nothing is. */
  faultOf(dialog: SeenDialog): string | null;
  isRequired: boolean;
  isSoft: boolean;
  variable: string | undefined;
  /** Until when it may still come, on the monotonic clock. */
  untilMs: number;
}

/** A dialog that came for an armed answer, after the step that armed it had ended. */
interface LateDialog {
  armed: ArmedDialog;
  dialog: SeenDialog;
  fault: string | null;
}

/**
 * Everything the pages of a run ask with alert, confirm, prompt and beforeunload. A dialog stops its page until it is
 * answered, so each is in one of three hands: an armed answer, laid ready before, is given at once; else, while the step says
 * so, it is held open for the dialog step that follows; else it is dismissed, as a visitor would who wants none of it.
 */
export interface RunDialogs {
  /** The dialogs of this context are answered from now on. */
  watch(context: BrowserContext): void;
  /** A step begins. `mayHold` is asked for each dialog that opens meanwhile. */
  begin(mayHold: () => boolean): void;
  /** The dialog that is held open, null when none is. */
  held(): SeenDialog | null;
  /** Resolves with the next dialog that is held open, at once where one is. */
  nextHeld(): Promise<SeenDialog>;
  /** Answers the one that is held. Rejects as Playwright does when its page went away. */
  answer(answer: DialogAnswer): Promise<void>;
  /** The step that opened a dialog ended with it; `work` is what of it goes on once the dialog is answered, and what went wrong. */
  leave(work: Promise<StepFailure | null>): void;
  /** Resolves when what was left has ended, with what went wrong that a step must tell. */
  left(): Promise<StepFailure | null>;
  arm(armed: ArmedDialog): void;
  /** Dialogs that came for armed answers since the last call. */
  takeLate(): LateDialog[];
  /** Armed answers for which a dialog must come and none has. */
  missing(): readonly ArmedDialog[];
  /** Resolves when a dialog has come for an armed answer. */
  nextArmed(): Promise<void>;
  /** What was answered without a step of its own since the last call, a sentence each. */
  takeNotes(): string[];
  /** Dismisses what is held. */
  release(): void;
}

/** Dialogs worth telling of in one step. */
const maxNotes = 3;

/** None yet. */
export function createRunDialogs(): RunDialogs {
  const open: Dialog[] = [];
  const armed: ArmedDialog[] = [];
  const late: LateDialog[] = [];
  const notes: string[] = [];
  let mayHold = (): boolean => false;
  let leftWork: Promise<StepFailure | null> = Promise.resolve(null);
  const holding = createBell();
  const arming = createBell();

  function note(dialog: Dialog, answered: string): void {
    if (notes.length < maxNotes && dialog.type() !== 'beforeunload') {
      notes.push(`${answered} the ${dialog.type()} "${cut(dialog.message(), 200)}"`);
    }
  }

  function onDialog(dialog: Dialog): void {
    const isLeaving = dialog.type() === 'beforeunload';
    const at = armed.findIndex(({ kind }) => (kind === 'beforeunload') === isLeaving);
    const [ready] = at === -1 ? [] : armed.splice(at, 1);
    if (ready !== undefined) {
      const seen = seenOf(dialog);
      late.push({ armed: ready, dialog: seen, fault: ready.faultOf(seen) });
      note(dialog, ready.accepts ? 'accepted' : 'dismissed');
      give(dialog, ready).catch(() => {});
      arming.ring();
    } else if (!isLeaving && mayHold()) {
      open.push(dialog);
      holding.ring();
    } else {
      note(dialog, 'dismissed');
      // Leaving a page is what the flow asked for; everything else is declined, as Playwright does by itself.
      give(dialog, { accepts: isLeaving }).catch(() => {});
    }
  }

  function first(): Dialog | null {
    while (open[0]?.page()?.isClosed() === true) open.shift();
    return open[0] ?? null;
  }

  function held(): SeenDialog | null {
    const dialog = first();
    return dialog === null ? null : seenOf(dialog);
  }

  return {
    watch: (context) => void context.on('dialog', onDialog),
    begin: (holds) => {
      mayHold = holds;
    },
    held,
    async nextHeld() {
      for (;;) {
        const rung = holding.next();
        const seen = held();
        if (seen !== null) return seen;
        await rung;
      }
    },
    async answer(answer) {
      const dialog = first();
      open.shift();
      if (dialog !== null) await give(dialog, answer);
    },
    leave(work) {
      leftWork = work;
    },
    left: () => leftWork,
    arm: (one) => void armed.push(one),
    takeLate: () => late.splice(0),
    missing: () => armed.filter(({ isRequired }) => isRequired),
    nextArmed: arming.next,
    takeNotes: () => notes.splice(0),
    release() {
      mayHold = () => false;
      for (const dialog of open.splice(0)) {
        note(dialog, 'dismissed');
        give(dialog, { accepts: false }).catch(() => {});
      }
    },
  };
}

function seenOf(dialog: Dialog): SeenDialog {
  return { kind: dialog.type(), message: cut(dialog.message(), limits.textLength) };
}

/** A prompt that is accepted without a word keeps what it proposes, as when a visitor presses OK. */
function give(dialog: Dialog, { accepts, text }: DialogAnswer): Promise<void> {
  if (!accepts) return dialog.dismiss();
  return dialog.accept(dialog.type() === 'prompt' ? (text ?? dialog.defaultValue()) : undefined);
}

/** Wakes everybody who waits for the next ring. */
function createBell(): { ring(): void; next(): Promise<void> } {
  let waiting: (() => void)[] = [];
  return {
    ring() {
      for (const wake of waiting.splice(0)) wake();
    },
    next: () =>
      new Promise((resolve) => {
        waiting = [...waiting, resolve];
      }),
  };
}
