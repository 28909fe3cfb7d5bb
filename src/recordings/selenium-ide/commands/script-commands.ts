import type { ImportContext } from '../import-context.ts';
import { NotKept } from '../not-kept.ts';
import type { SideCommand } from '../side-project.ts';
import { returningLast } from '../side-script.ts';
import type { CommandRules } from './command-rule.ts';

/** JavaScript in the page, and the log. */
export const scriptCommands: CommandRules = {
  executeScript: (command, context) => [
    { type: 'evaluate', data: { script: scriptOf(command, context), ...keptIn(command, context) } },
  ],
  executeAsyncScript(command, context) {
    const script = scriptOf(command, context);
    // The IDE waits for the promise that the script ends with, or for the callback that it hands it.
    const how = /\bcallback\s*\(/.test(script)
      ? { script, callback: true }
      : { script: returningLast(script) };
    return [{ type: 'evaluate', data: { ...how, ...keptIn(command, context) } }];
  },
  runScript: (command, context) => [{ type: 'evaluate', data: { script: scriptOf(command, context) } }],
  echo: ({ target, value }, context) => [
    { type: 'log', data: { message: context.text(target.trim() === '' ? value : target) } },
  ],
};

function scriptOf({ target }: SideCommand, context: ImportContext): string {
  const script = context.script(target);
  if (script === '') throw new NotKept('it has no script');
  return script;
}

function keptIn({ value }: SideCommand, context: ImportContext): { variable?: string } {
  return value.trim() === '' ? {} : { variable: context.variable(value) };
}
