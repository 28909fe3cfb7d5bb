import { selectorsOf } from '../locators.ts';
import { textPattern } from '../text-pattern.ts';
import type { CommandRule, CommandRules } from './command-rule.ts';
import { timeout } from './page-commands.ts';

/** Waiting for elements; the value of the command is its time in ms. */
export const waitCommands: CommandRules = {
  waitForElementPresent: waitForState('attached'),
  waitForElementNotPresent: waitForState('detached'),
  waitForElementVisible: waitForState('visible'),
  waitForElementNotVisible: waitForState('hidden'),
  waitForElementEditable: waitForState('editable'),
  waitForElementNotEditable: waitForState('readonly'),
  waitForText(command, context) {
    const { value, match = 'exact' } = textPattern(command.value, context);
    return [{ type: 'waitFor', data: { ...selectorsOf(command, context), text: value, match } }];
  },
};

function waitForState(state: string): CommandRule {
  // Another locator may well find another element once the first one's is gone.
  const isExact = ['detached', 'hidden'].includes(state);
  return (command, context) => [
    {
      type: 'waitFor',
      data: {
        ...selectorsOf(command, context, { isExact }),
        state,
        ...timeout(command.value, context.text),
      },
    },
  ];
}
