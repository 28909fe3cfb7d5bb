import type { ImportContext } from '../import-context.ts';
import { selectorsOf } from '../locators.ts';
import { NotKept } from '../not-kept.ts';
import type { SideCommand } from '../side-project.ts';
import type { CommandRule, CommandRules } from './command-rule.ts';

/** Commands that put something into a variable. */
export const storeCommands: CommandRules = {
  store: ({ target, value }, context) => [
    { type: 'setVariable', data: { variable: context.variable(value), value: context.text(target) } },
  ],
  storeJson: ({ target, value }, context) => [
    {
      type: 'setVariable',
      data: { variable: context.variable(value), expression: parsedJson(target, context) },
    },
  ],
  storeText: extracted(() => ({})),
  storeValue: extracted(() => ({ subject: 'value' })),
  storeElementCount: extracted(() => ({ subject: 'count' }), { isExact: true }),
  storeXpathCount: extracted(() => ({ subject: 'count' }), { isExact: true }),
  storeAttribute(command, context) {
    const at = command.target.lastIndexOf('@');
    const attribute = context.text(command.target.slice(at + 1));
    if (at < 1 || attribute === '') throw new NotKept('its target is no locator with @attribute behind');
    const element = { ...command, target: command.target.slice(0, at), otherTargets: [] };
    return extracted(() => ({ subject: 'attribute', attribute }))(element, context);
  },
  storeTitle: ({ target, value }, context) => [
    { type: 'extract', data: { subject: 'title', variable: context.variable(value.trim() || target) } },
  ],
};

function extracted(
  fields: (command: SideCommand) => Readonly<Record<string, unknown>>,
  { isExact = false } = {},
): CommandRule {
  return (command, context) => [
    {
      type: 'extract',
      data: {
        ...selectorsOf(command, context, { isExact }),
        ...fields(command),
        variable: context.variable(command.value),
      },
    },
  ];
}

/** An expression for what the JSON says; `${x}` in it is put in as text, before it is read. */
function parsedJson(written: string, context: ImportContext): string {
  const pieces = written
    .trim()
    .split(/(\$\{.{0,300}?\})/)
    .filter((piece) => piece !== '')
    .map((piece) => (piece.startsWith('${') ? `String(${context.script(piece)})` : JSON.stringify(piece)));
  if (pieces.length === 0) throw new NotKept('it has no JSON');
  if (!written.includes('${')) {
    try {
      JSON.parse(written);
    } catch {
      throw new NotKept('its target is no JSON');
    }
  }
  return `JSON.parse(${pieces.join(' + ')})`;
}
