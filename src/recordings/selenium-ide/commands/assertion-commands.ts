import type { ImportContext } from '../import-context.ts';
import { selectorsOf } from '../locators.ts';
import type { SideCommand } from '../side-project.ts';
import { textPattern } from '../text-pattern.ts';
import type { CommandRule, CommandRules } from './command-rule.ts';

/** `assert…` ends the test, `verify…` lets it go on and fails it in the end. */
export const assertionCommands: CommandRules = Object.fromEntries(
  (['assert', 'verify'] as const).flatMap((word) =>
    Object.entries(questions()).map(([name, question]) => [`${word}${name}`, asserting(question, word)]),
  ),
);

/** What a command asks, as fields of an assertion. */
type Question = (command: SideCommand, context: ImportContext) => Readonly<Record<string, unknown>>;

function asserting(question: Question, word: 'assert' | 'verify'): CommandRule {
  return (command, context) => [
    {
      type: 'assertion',
      data: { ...question(command, context), ...(word === 'verify' ? { soft: true } : {}) },
    },
  ];
}

/** By what stands behind `assert` and `verify`. */
function questions(): Readonly<Record<string, Question>> {
  return {
    '': ({ target, value }, context) => ({
      subject: 'variable',
      variable: context.variable(target),
      ...textPattern(value, context),
    }),
    Title: ({ target }, context) => ({ subject: 'title', ...textPattern(target, context) }),
    NotTitle: ({ target }, context) => ({ subject: 'title', ...textPattern(target, context), negate: true }),
    Location: ({ target }, context) => ({ subject: 'url', ...textPattern(target, context) }),
    ...withOpposite('Text', compared('text')),
    ...withOpposite('Value', compared('value')),
    ...withOpposite('SelectedValue', compared('value')),
    ...withOpposite('SelectedLabel', compared('selected')),
    ...withOpposite('Checked', asked('checked')),
    ...withOpposite('Editable', asked('editable')),
    ElementPresent: asked('present'),
    ElementNotPresent: (command, context) => ({
      ...selectorsOf(command, context, { isExact: true }),
      subject: 'present',
      negate: true,
    }),
  };
}

function withOpposite(name: string, question: Question): Readonly<Record<string, Question>> {
  return {
    [name]: question,
    [`Not${name}`]: (command, context) => ({ ...question(command, context), negate: true }),
  };
}

function compared(subject: string): Question {
  return (command, context) => ({
    ...selectorsOf(command, context),
    subject,
    ...textPattern(command.value, context),
  });
}

function asked(subject: string): Question {
  return (command, context) => ({ ...selectorsOf(command, context), subject });
}
