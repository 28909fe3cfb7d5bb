import { camelCased } from '../lib/camel-cased.ts';
import type { CommandEntry, CommandOption } from './command.ts';

/** An option as its row declares it. */
export interface DeclaredOption {
  /** `allow-host`, as it is typed after the two dashes. */
  readonly long: string;
  /** `allowHost`, as the command gets it. */
  readonly name: string;
  /** What stands between the angle brackets; null for an option without a value. */
  readonly placeholder: string | null;
}

/** Reads `--allow-host <host>`. */
export function declaredOption({ flags }: Pick<CommandOption, 'flags'>): DeclaredOption {
  const [, long = '', placeholder = null] = /^--([a-z][a-z-]*)(?: <([^>]+)>)?$/.exec(flags) ?? [];
  return { long, name: camelCased(long), placeholder };
}

/** Reads `<flow>` or `[code]`: the arguments of a command in their order. */
export function declaredArguments({
  usage,
}: Pick<CommandEntry, 'usage'>): { name: string; isNeeded: boolean }[] {
  return usage
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => ({ name: part.slice(1, -1), isNeeded: part.startsWith('<') }));
}
