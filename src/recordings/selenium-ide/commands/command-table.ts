import { assertionCommands } from './assertion-commands.ts';
import type { CommandRule, CommandRules } from './command-rule.ts';
import { formCommands } from './form-commands.ts';
import { pageCommands } from './page-commands.ts';
import { pointerCommands } from './pointer-commands.ts';
import { scriptCommands } from './script-commands.ts';
import { storeCommands } from './store-commands.ts';
import { waitCommands } from './wait-commands.ts';

/**
 * THE table of commands that become steps one by one. Those that belong together (blocks, dialogs, `run`, `setSpeed`) are read by
 * import-side-test.ts.
 */
const commandTable: CommandRules = {
  ...pageCommands,
  ...pointerCommands,
  ...formCommands,
  ...waitCommands,
  ...assertionCommands,
  ...storeCommands,
  ...scriptCommands,
};

/** The rule for a command; null for one that Selenium IDE itself does not have. `…AndWait`, of the first IDE, waits for the page as well. */
export function ruleFor(command: string): CommandRule | null {
  const own = ruleNamed(command);
  if (own !== null || !command.endsWith('AndWait')) return own;
  const rule = ruleNamed(command.slice(0, -'AndWait'.length));
  if (rule === null) return null;
  return (written, context) => [...rule(written, context), { type: 'waitFor', data: { load: 'load' } }];
}

function ruleNamed(command: string): CommandRule | null {
  return Object.hasOwn(commandTable, command) ? (commandTable[command] ?? null) : null;
}
