import type { SideCommand } from './side-project.ts';

/** Commands of a test as the blocks they form. */
export type SideItem =
  | { kind: 'command'; command: SideCommand }
  | { kind: 'if'; cases: SideCase[]; otherwise: SideItem[] }
  | { kind: 'loop'; command: SideCommand; items: SideItem[]; repeatIf?: SideCommand }
  | { kind: 'misplaced'; command: SideCommand; why: string };

/** An `if` or `elseIf` and what it leads to. */
export interface SideCase {
  command: SideCommand;
  items: SideItem[];
}

/** Deepest nesting of blocks that is read. */
const maxDepth = 50;

/** The blocks of a test. A command that fits into none stands there as `misplaced`, with the reason as half a sentence. */
export function nestCommands(commands: readonly SideCommand[]): SideItem[] {
  const items: SideItem[] = [];
  const open: OpenBlock[] = [];
  const here = (): SideItem[] => open.at(-1)?.items ?? items;

  for (const command of commands) {
    const block = open.at(-1);
    const fault = (why: string): void => void here().push({ kind: 'misplaced', command, why });
    switch (command.command) {
      case 'if': {
        const first: SideCase = { command, items: [] };
        const item: SideItem = { kind: 'if', cases: [first], otherwise: [] };
        here().push(item);
        open.push({ command, item, items: first.items });
        break;
      }
      case 'while':
      case 'times':
      case 'forEach':
      case 'do': {
        const item: SideItem = { kind: 'loop', command, items: [] };
        here().push(item);
        open.push({ command, item, items: item.items });
        break;
      }
      case 'elseIf':
      case 'else':
        if (block?.item.kind !== 'if') fault('it stands in no if');
        else if (block.hasElse) fault('it stands behind the else of its if');
        else if (command.command === 'else') {
          block.items = block.item.otherwise;
          block.hasElse = true;
        } else {
          const next: SideCase = { command, items: [] };
          block.item.cases.push(next);
          block.items = next.items;
        }
        break;
      case 'repeatIf':
        if (block?.item.kind !== 'loop' || block.command.command !== 'do') fault('it ends no do');
        else {
          block.item.repeatIf = command;
          open.pop();
        }
        break;
      case 'end':
        if (block === undefined) fault('it ends no block');
        else if (block.command.command === 'do') fault('a do ends by repeatIf');
        else open.pop();
        break;
      default:
        here().push({ kind: 'command', command });
    }
    if (open.length > maxDepth) {
      return [{ kind: 'misplaced', command, why: `blocks are nested deeper than ${maxDepth}` }];
    }
  }
  for (const { command } of open) items.push({ kind: 'misplaced', command, why: 'its block has no end' });
  return items;
}

interface OpenBlock {
  command: SideCommand;
  item: Extract<SideItem, { kind: 'if' | 'loop' }>;
  /** Where the commands that follow go. */
  items: SideItem[];
  hasElse?: boolean;
}
