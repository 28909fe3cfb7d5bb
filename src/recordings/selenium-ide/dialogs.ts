import type { DraftStep } from '../lay-out-flow.ts';
import type { ImportContext } from './import-context.ts';
import type { SideItem } from './nest-commands.ts';
import type { SideCommand } from './side-project.ts';

/** Which of its three kinds of commands about a dialog a command is; null for any other. */
export function dialogRole(command: string): 'arm' | 'judge' | 'answer' | null {
  if (Object.hasOwn(arms, command)) return 'arm';
  if (Object.hasOwn(answers, command)) return 'answer';
  return /^(assert|verify)(Alert|Confirmation|Prompt)$/.test(command) ? 'judge' : null;
}

/**
 * The commands at the head of `items` that are about one dialog: what is expected of it, then what it is answered. The old IDE
 * records an expectation alone, and answered dialogs by itself: as `armed` says, and else by OK.
 */
export function takeDialog(
  items: readonly SideItem[],
  armed: SideCommand | null,
  context: ImportContext,
): { step: DraftStep; taken: SideCommand[] } {
  const taken: SideCommand[] = [];
  for (const item of items) {
    if (item.kind !== 'command') break;
    const role = dialogRole(item.command.command);
    if (role === null || role === 'arm' || (role === 'judge' && taken.length > 0)) break;
    taken.push(item.command);
    if (role === 'answer') break;
  }
  const judge = taken.find(({ command }) => dialogRole(command) === 'judge');
  const answer = taken.find(({ command }) => dialogRole(command) === 'answer') ?? armed;
  const data = {
    ...(answer === null ? { action: 'accept' } : answered(answer, context)),
    ...(judge === undefined ? {} : { message: context.text(judge.target), match: 'exact' }),
    ...(judge?.command.startsWith('verify') ? { soft: true } : {}),
  };
  return { step: { type: 'dialog', data }, taken };
}

/** A step that answers the next dialog of that kind, if one comes: for a command that no expectation follows. */
export function armedDialog(command: SideCommand, context: ImportContext): DraftStep {
  const kind = /Prompt$/.test(command.command) ? 'prompt' : 'confirm';
  return { type: 'dialog', data: { ...answered(command, context), kind, required: false } };
}

/** True when a dialog that `armed` is about is told of later in the same block, before another is armed. */
export function isToldLater(armed: SideCommand, later: readonly SideItem[]): boolean {
  const kind = /Prompt$/.test(armed.command) ? /Prompt$/ : /Confirmation$/;
  for (const item of later) {
    if (item.kind !== 'command') return false;
    const role = dialogRole(item.command.command);
    if (role === 'arm') return false;
    if (role !== null) return kind.test(item.command.command);
  }
  return false;
}

/** Puts the dialog right behind the step that opened it: what only waits or tells something in between moves behind. */
export function insertDialog(steps: DraftStep[], dialog: DraftStep): void {
  let at = steps.length;
  while (at > 0 && isIdle(steps[at - 1])) at -= 1;
  steps.splice(at === 0 ? steps.length : at, 0, dialog);
}

function isIdle(step: DraftStep | undefined): boolean {
  if (step?.type === 'setVariable') return step.data['expression'] === undefined;
  return step?.type === 'wait' || step?.type === 'log';
}

function answered({ command, target }: SideCommand, context: ImportContext): Record<string, unknown> {
  const { action, hasText } = answers[command] ?? arms[command] ?? { action: 'accept' };
  const text = hasText ? context.text(target) : '';
  return { action, ...(text === '' ? {} : { text }) };
}

type Answers = Readonly<Record<string, { action: 'accept' | 'dismiss'; hasText?: true }>>;

/** Said before the step that opens the dialog. */
const arms: Answers = {
  chooseOkOnNextConfirmation: { action: 'accept' },
  chooseCancelOnNextConfirmation: { action: 'dismiss' },
  chooseCancelOnNextPrompt: { action: 'dismiss' },
  answerOnNextPrompt: { action: 'accept', hasText: true },
};

/** Said while it is open. */
const answers: Answers = {
  acceptAlert: { action: 'accept' },
  acceptConfirmation: { action: 'accept' },
  dismissConfirmation: { action: 'dismiss' },
  dismissPrompt: { action: 'dismiss' },
  answerPrompt: { action: 'accept', hasText: true },
  webdriverChooseOkOnVisibleConfirmation: { action: 'accept' },
  webdriverChooseCancelOnVisibleConfirmation: { action: 'dismiss' },
  webdriverChooseCancelOnVisiblePrompt: { action: 'dismiss' },
  webdriverAnswerOnVisiblePrompt: { action: 'accept', hasText: true },
};
