import { cac } from 'cac';
import { camelCased } from '../lib/camel-cased.ts';
import type { CommandEntry, CommandOption, Program } from './command.ts';
import { declaredOption } from './declared.ts';

/** A command line in its parts. */
export interface Parts {
  /** Undefined for a command that no row declares. */
  readonly entry: CommandEntry | undefined;
  readonly args: readonly string[];
  /** The values of each option of the command that was given, as they were typed; true where none stands behind it. */
  readonly given: ReadonlyMap<CommandOption, readonly (string | true)[]>;
}

/** Takes a command line apart by the table of the program; the command is its first word. */
export function takeApart(program: Program, [word = '', ...typed]: readonly string[]): Parts {
  const parser = cac(program.name);
  for (const { name, usage, summary, options } of program.commands) {
    const command = parser.command(`${name} ${usage}`.trim(), summary);
    for (const option of options) command.option(option.flags, option.summary);
  }
  const end = typed.includes('--') ? typed.indexOf('--') : typed.length;
  const words = [word, ...typed.slice(0, end).map(marked), ...typed.slice(end)];
  const { args, options } = parser.parse(['node', program.name, ...words], { run: false });

  const entry = program.commands.find(({ name }) => name === parser.matchedCommandName);
  const given = new Map<CommandOption, readonly (string | true)[]>();
  for (const option of entry?.options ?? []) {
    const values: (string | true)[] = [options[declaredOption(option).name] ?? []].flat();
    if (values.length > 0) given.set(option, values.map(asTyped));
  }
  return { entry, args: [...args.map(asTyped), ...options['--']], given };
}

/** True for what is written as an option; a lone dash, standard input, is none. */
export function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

// cac turns what looks like a number into one (the code 012345 would become 12345, a runner named 007 would become 7), takes a
// `true` behind an option without a value for its value and the word behind `--name=` for that one's, and drops a lone dash. No
// value reaches it as it was typed: each has a mark in front that comes off afterwards. Of names that no option can have it
// makes objects, or throws; it gets none. It knows by its camel-cased name alone that an option takes no value: `--allow-root`
// would swallow the argument behind it.
const mark = '\u{e000}';

function marked(word: string): string {
  if (!isOption(word)) return mark + word;
  const [, name, value] = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (name === undefined) return `--${mark}`;
  return value === undefined ? `--${camelCased(name)}` : `--${camelCased(name)}=${mark}${value}`;
}

function asTyped<T extends string | true>(value: T): T {
  return (typeof value === 'string' ? value.slice(mark.length) : value) as T;
}
