import type { DraftStep } from '../../lay-out-flow.ts';
import type { ImportContext } from '../import-context.ts';
import { splitKeys } from '../keys.ts';
import { selectorsOf } from '../locators.ts';
import type { SideCommand } from '../side-project.ts';
import type { CommandRule, CommandRules } from './command-rule.ts';

/** The keyboard and forms. */
export const formCommands: CommandRules = {
  type: (command, context) => upload(command, context) ?? typed(command, context, { isReplaced: true }),
  sendKeys: (command, context) => upload(command, context) ?? typed(command, context, { isReplaced: false }),
  editContent: (command, context) => [
    {
      type: 'type',
      data: { ...selectorsOf(command, context), value: context.text(command.value), how: 'html' },
    },
  ],
  select: option(),
  addSelection: option('add'),
  removeSelection: option('remove'),
  check: (command, context) => [{ type: 'check', data: selectorsOf(command, context) }],
  uncheck: (command, context) => [
    { type: 'check', data: { ...selectorsOf(command, context), checked: false } },
  ],
  submit: (command, context) => [{ type: 'submit', data: selectorsOf(command, context) }],
};

/** Text and keys in their order. The first text takes the place of what is in the field, or is written behind it. */
function typed(
  command: SideCommand,
  context: ImportContext,
  { isReplaced }: { isReplaced: boolean },
): DraftStep[] {
  const selectors = selectorsOf(command, context);
  // In a field of one line a line break at the end is the Enter key, and in one of several it comes to the same.
  const [, text = '', breaks = ''] = /^(.*?)((?:\\n)*)$/s.exec(command.value.trim()) ?? [];
  const parts = [
    ...splitKeys(text, context),
    ...Array.from({ length: breaks.length / 2 }, () => ({ press: 'Enter' })),
  ];
  const [first] = parts;
  if (isReplaced && (first === undefined || !('text' in first))) parts.unshift({ text: '' });
  return parts.map((part, index) => {
    if ('press' in part) return { type: 'press', data: { ...selectors, key: part.press } };
    const how = isReplaced && index === 0 ? {} : { how: 'append' };
    return { type: 'type', data: { ...selectors, value: part.text, ...how } };
  });
}

/**
 * A file for a file field, which the IDE types the path of; null for any other text. That it is one is told by the locators, or by a
 * path that only a file has.
 */
function upload(command: SideCommand, context: ImportContext): DraftStep[] | null {
  const path = command.value.trim();
  const isPath = /^(\/|~\/|\.{1,2}\/|[A-Za-z]:[\\/]|\\\\)[^\n]*[^\\/\n]\.[A-Za-z0-9]{1,8}$/.test(path);
  const isOwn = /^(\/(Users|home|tmp|var|mnt|root)\/|~\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
  const isForFile = [command.target, ...command.otherTargets].some((locator) =>
    /file|upload|attach|photo|image|picture|avatar|document/i.test(locator),
  );
  if (!isPath || !(isOwn || isForFile) || path.includes('${')) return null;
  const name = path.split(/[\\/]/).at(-1) ?? path;
  context.note(
    `${path} is taken for a file to upload: put ${name} into the folder of files of the machine that runs it`,
  );
  return [{ type: 'upload', data: { ...selectorsOf(command, context), files: [name] } }];
}

/** An option as the IDE names it: `label=`, `value=`, `id=`, `index=`, or the bare label. */
function option(how?: 'add' | 'remove'): CommandRule {
  return (command, context) => {
    const held = context.resolved(command.value);
    // A variable may hold the whole of `label=Two`.
    const written = /^(label|value|id|index)=/.test(held) ? held : command.value;
    const [, by, value] = /^(label|value|id|index)=(.*)$/s.exec(context.text(written)) ?? [];
    const chosen = by === undefined ? { by: 'label', value: context.text(written) } : { by, value };
    return [
      {
        type: 'select',
        data: { ...selectorsOf(command, context), ...chosen, ...(how === undefined ? {} : { how }) },
      },
    ];
  };
}
