import type { ImportContext } from '../import-context.ts';
import { NotKept } from '../not-kept.ts';
import type { SideCommand } from '../side-project.ts';
import { bareName } from '../variable-names.ts';

/** Most rounds that a loop of ours can make. */
const maxRounds = 2_000;

/** `data` of a loop: of `while`, `times`, `forEach`, or `do` with its `repeatIf`. Throws NotKept. */
export function loopData(
  command: SideCommand,
  repeatIf: SideCommand | undefined,
  context: ImportContext,
): Readonly<Record<string, unknown>> {
  switch (command.command) {
    case 'times': {
      const times = context.text(command.target);
      if (!/^(\d+|\{\{[^}]+\}\})$/.test(times)) throw new NotKept(`"${times}" is no number of rounds`);
      if (Number(times) > maxRounds) throw new NotKept(`a loop makes at most ${maxRounds} rounds`);
      return {
        kind: 'times',
        times: /^\d+$/.test(times) ? Number(times) : times,
        ...limit(command, context),
      };
    }
    case 'forEach': {
      const items = context.text(`\${${bareName(command.target)}}`);
      if (bareName(command.target) === '') throw new NotKept('it names no variable with a list');
      return { kind: 'forEach', items, as: context.variable(command.value) };
    }
    default: {
      const asked = command.command === 'do' ? repeatIf : command;
      if (asked === undefined) throw new NotKept('its block has no end');
      return {
        kind: command.command === 'do' ? 'doWhile' : 'while',
        subject: 'expression',
        expression: context.condition(asked.target),
        ...limit(asked, context),
      };
    }
  }
}

function limit({ value }: SideCommand, context: ImportContext): { maxIterations?: number } {
  const most = Number(context.text(value));
  return Number.isInteger(most) && most > 0 ? { maxIterations: Math.min(most, maxRounds) } : {};
}
