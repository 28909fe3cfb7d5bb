import type { DraftStep } from '../lay-out-flow.ts';
import type { ImportContext } from './import-context.ts';
import type { SideCommand } from './side-project.ts';

/** Types of steps that wait for the window they open and name it. */
const openers: ReadonlySet<string> = new Set(['click', 'press', 'submit']);

/** The steps of a command that opens a window, with the window under its name; the flow stays in the one it was in, as in the IDE. */
export function withOpenedWindow(
  steps: readonly DraftStep[],
  { opensWindow, number }: SideCommand,
  context: ImportContext,
): DraftStep[] {
  if (opensWindow === null) return [...steps];
  const name = context.windowName(opensWindow);
  const stored = context.isRead(opensWindow)
    ? [{ type: 'setVariable', data: { variable: context.variable(opensWindow), value: name } }]
    : [];
  const opener = steps.findLastIndex(({ type }) => openers.has(type));
  if (opener >= 0) {
    return [
      ...steps.map((step, index) =>
        index === opener ? { ...step, data: { ...step.data, opens: name } } : step,
      ),
      ...stored,
    ];
  }
  const before = `before-${number}`;
  return [
    { type: 'switchPage', data: { page: 'current', name: before } },
    ...steps,
    { type: 'switchPage', data: { page: 'latest', name } },
    { type: 'switchPage', data: { page: before } },
    ...stored,
  ];
}
