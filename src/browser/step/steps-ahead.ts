import { entryOf, type NodeType } from '../../flow/node-types/node-types.ts';
import type { Step } from '../../flow/step.ts';

/** Types that leave the pages alone: what a page has opened before them is still there after them. */
const pageIsLeftAlone: ReadonlySet<NodeType> = new Set(['wait', 'log']);

/** Types without side effects after which a page may all the same ask something that it did not ask before. */
const mayMakePageAsk: ReadonlySet<NodeType> = new Set([
  'navigate',
  'reload',
  'back',
  'forward',
  'openPage',
  'hover',
  'scroll',
  'if',
  'loop',
  'subflow',
]);

/** The first of the steps after one that has to do with its page, null where none has. */
export function nextInPage(ahead: Iterable<Step>): NodeType | null {
  for (const { type } of ahead) if (!pageIsLeftAlone.has(type)) return type;
  return null;
}

/** True when one of these steps can make a page open a dialog. */
export function mayOpenDialog(ahead: Iterable<Step>): boolean {
  for (const { type } of ahead) if (canOpenDialog(type)) return true;
  return false;
}

/** True for a type that can make a page open a dialog. */
export function canOpenDialog(type: NodeType): boolean {
  return type !== 'dialog' && (entryOf(type).hasSideEffects || mayMakePageAsk.has(type));
}

/** True for a type during which a page that asks keeps nobody waiting. */
export function leavesPageAlone(type: NodeType): boolean {
  return type === 'dialog' || pageIsLeftAlone.has(type);
}
