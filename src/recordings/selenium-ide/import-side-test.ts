import type { Unkept } from '../imported.ts';
import type { DraftStep } from '../lay-out-flow.ts';
import { ruleFor } from './commands/command-table.ts';
import { loopData } from './commands/loop-data.ts';
import { armedDialog, dialogRole, insertDialog, isToldLater, takeDialog } from './dialogs.ts';
import type { ImportContext } from './import-context.ts';
import { nestCommands, type SideCase, type SideItem } from './nest-commands.ts';
import { NotKept } from './not-kept.ts';
import { withOpenedWindow } from './opened-window.ts';
import type { SideCommand, SideTest } from './side-project.ts';

/** One test as steps, and what is to be told of them. */
export interface ImportedTest {
  readonly steps: readonly DraftStep[];
  /** The tests that it runs. */
  readonly runs: ReadonlySet<SideTest>;
  readonly notes: readonly string[];
  readonly unkept: readonly Unkept[];
}

/** What an import of a test needs from the project. */
export interface ImportTestDeps {
  contextFor(note: (text: string) => void): ImportContext;
  /** The test that a `run` of `test` goes to. Throws NotKept where it goes to none. */
  runBy(test: SideTest, command: SideCommand, context: ImportContext): SideTest;
}

/** Reads the commands of a test, one after the other, each by its rule. */
export function importSideTest(test: SideTest, deps: ImportTestDeps): ImportedTest {
  const notes = new Set<string>();
  const unkept: Unkept[] = [];
  const runs = new Set<SideTest>();
  let noteWhere = '';
  const context = deps.contextFor((text) => notes.add(`${noteWhere}: ${text}`));
  let speedMs = 0;

  const at = ({ number }: SideCommand): void => {
    noteWhere = `test "${test.name}", command ${number}`;
  };
  const notKept = (command: SideCommand, why: string): DraftStep => {
    const where = `test "${test.name}", command ${command.number}`;
    const what = [command.command, command.target, command.value].filter((part) => part !== '').join(' ');
    unkept.push({ where, what, why });
    return { type: 'log', data: { message: context.literal(`Not kept from ${where}: ${what} (${why})`) } };
  };
  /** The steps that `read` gives, or a log step that says why there are none. */
  const keep = (command: SideCommand, read: () => DraftStep[]): DraftStep[] => {
    at(command);
    try {
      return labelled(read(), command.comment);
    } catch (error) {
      if (!(error instanceof NotKept)) throw error;
      return [notKept(command, error.message)];
    }
  };

  const readCommand = (command: SideCommand): DraftStep[] => {
    if (command.command === 'run') {
      const goal = deps.runBy(test, command, context);
      runs.add(goal);
      return [{ type: 'subflow', data: { subflow: subflowName(goal) } }];
    }
    const rule = ruleFor(command.command);
    if (rule === null) throw new NotKept('Selenium IDE has no such command; a plugin may have brought it');
    return withOpenedWindow(rule(command, context), command, context);
  };

  const readIf = ([first, ...others]: readonly SideCase[], otherwise: readonly SideItem[]): DraftStep[] => {
    if (first === undefined) return readBlock(otherwise);
    const { command, items } = first;
    at(command);
    try {
      const expression = context.condition(command.target);
      const blocks = { true: readBlock(items), false: readIf(others, otherwise) };
      return labelled([{ type: 'if', data: { subject: 'expression', expression }, blocks }], command.comment);
    } catch (error) {
      if (!(error instanceof NotKept)) throw error;
      return [notKept(command, `${error.message}; its block is left out`)];
    }
  };

  const readLoop = ({ command, items, repeatIf }: Extract<SideItem, { kind: 'loop' }>): DraftStep[] => {
    at(command);
    try {
      const data = loopData(command, repeatIf, context);
      return labelled([{ type: 'loop', data, blocks: { body: readBlock(items) } }], command.comment);
    } catch (error) {
      if (!(error instanceof NotKept)) throw error;
      return [notKept(command, `${error.message}; its block is left out`)];
    }
  };

  const readBlock = (items: readonly SideItem[]): DraftStep[] => {
    const steps: DraftStep[] = [];
    let armed: SideCommand | null = null;
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index] as SideItem;
      if (item.kind === 'if') {
        steps.push(...readIf(item.cases, item.otherwise));
        continue;
      }
      if (item.kind === 'misplaced') {
        steps.push(notKept(item.command, item.why));
        continue;
      }
      if (item.kind === 'loop') {
        steps.push(...readLoop(item));
        continue;
      }
      const { command } = item;
      at(command);
      const role = dialogRole(command.command);
      if (role === 'arm') {
        if (isToldLater(command, items.slice(index + 1))) armed = command;
        else steps.push(...keep(command, () => [armedDialog(command, context)]));
      } else if (role !== null) {
        const { step, taken } = takeDialog(items.slice(index), armed, context);
        armed = null;
        index += taken.length - 1;
        for (const dialog of labelled(
          [step],
          taken
            .map(({ comment }) => comment)
            .join(' ')
            .trim(),
        )) {
          insertDialog(steps, dialog);
        }
      } else if (command.command === 'setSpeed') {
        speedMs = Math.min(Number.parseInt(context.text(command.target), 10) || 0, 60_000);
        if (speedMs > 0)
          notes.add(`${noteWhere}: setSpeed waits ${speedMs} ms behind each command that follows`);
      } else {
        steps.push(...keep(command, () => readCommand(command)));
        if (speedMs > 0 && command.command !== 'pause') steps.push({ type: 'wait', data: { ms: speedMs } });
      }
    }
    return steps;
  };

  const live = test.commands.filter((command) => {
    at(command);
    const why = passedOver(command);
    if (why !== null) context.note(why);
    else if (command.isBreakpoint) context.note('it has a breakpoint, which a run does not stop at');
    return why === null;
  });
  const steps = readBlock(nestCommands(live));
  return { steps, runs, notes: [...notes], unkept };
}

/** What a test is called where others run it. */
export function subflowName({ name }: SideTest): string {
  return name.trim().slice(0, 200);
}

/** Why a command does nothing in the IDE either; null where it does something. */
function passedOver({ command, target, value, isSkipped }: SideCommand): string | null {
  if (command === '') return 'an empty line';
  if (command.startsWith('//')) return `"${command}" is disabled, and passed over`;
  if (isSkipped) return `"${[command, target, value].join(' ').trim()}" is to be skipped, and passed over`;
  if (command === 'debugger') return 'debugger is passed over: a run does not stop';
  return null;
}

/** The comment of a command on its first step. */
function labelled(steps: readonly DraftStep[], comment: string): DraftStep[] {
  if (comment === '') return [...steps];
  return steps.map((step, index) =>
    index === 0 ? { ...step, data: { ...step.data, label: comment } } : step,
  );
}
