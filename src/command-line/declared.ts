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

/** The same words with every `-o` that stands for an option written as `--output`; behind `--` nothing does. */
export function withoutShorts(
  { options }: Pick<CommandEntry, 'options'>,
  words: readonly string[],
): string[] {
  const end = words.indexOf('--');
  return words.map((word, index) => {
    const option = options.find(({ short }) => short !== undefined && word === `-${short}`);
    return option === undefined || (end !== -1 && index > end) ? word : `--${declaredOption(option).long}`;
  });
}

/** An argument as the row of its command declares it. */
export interface DeclaredArgument {
  readonly name: string;
  readonly isNeeded: boolean;
  /** True for one that may be given more than once, which only the last can be. */
  readonly isMany: boolean;
}

/** Reads `<flow>`, `[code]` or `<flow...>`: the arguments of a command in their order. */
export function declaredArguments({ usage }: Pick<CommandEntry, 'usage'>): DeclaredArgument[] {
  return usage
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      const isMany = part.endsWith('...>') || part.endsWith('...]');
      return { name: part.slice(1, isMany ? -4 : -1), isNeeded: part.startsWith('<'), isMany };
    });
}

/** The argument that the one at this place is, counted from 0; undefined for one too many. */
export function argumentAt(
  declared: readonly DeclaredArgument[],
  place: number,
): DeclaredArgument | undefined {
  const last = declared.at(-1);
  return declared[place] ?? (last?.isMany === true ? last : undefined);
}
