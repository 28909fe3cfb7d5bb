import { parseArgs } from 'node:util';
import { didYouMean } from '../lib/did-you-mean.ts';
import { UsageError } from '../lib/errors.ts';
import type { CommandEntry, CommandOption, HelpTopic, Program } from './command.ts';
import { declaredArguments, declaredOption } from './declared.ts';

/** What a command line asks for. */
export type Request =
  | { kind: 'version' }
  | { kind: 'help'; entry: CommandEntry | null }
  | { kind: 'topic'; topic: HelpTopic }
  | { kind: 'run'; entry: CommandEntry; options: Record<string, unknown> };

/**
 * Reads the arguments after the program's name. All values stay the strings that were typed.
 * Throws UsageError for an unknown command, action or option, a missing value or argument, and for one too many.
 */
export function parseCommandLine(program: Program, argv: readonly string[]): Request {
  const at = argv.findIndex((typed) => !typed.startsWith('-') || typed === '-');
  const before = at === -1 ? argv : argv.slice(0, at);
  const word = at === -1 ? undefined : argv[at];
  const rest = at === -1 ? [] : [...before, ...argv.slice(at + 1)];
  if (asksFor(before, '--version', '-v')) return { kind: 'version' };
  if (word === 'help') return helpOn(program, rest);
  if (word === undefined) {
    if (before.length === 0 || asksFor(before, '--help', '-h')) return { kind: 'help', entry: null };
    throw new UsageError(`unknown option ${before[0]}`, { hint: `Run: ${program.name} --help` });
  }
  const entry = program.commands.find(({ name }) => name === word);
  if (entry === undefined) throw unknownWord(program, word, 'command');
  if (asksFor(rest, '--help', '-h')) return { kind: 'help', entry };
  return { kind: 'run', entry, options: optionsOf(program, entry, rest) };
}

/** True when one of the flags is among the arguments; what stands behind `--` is none. */
function asksFor(argv: readonly string[], ...flags: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some((typed) => flags.includes(typed));
}

function helpOn(program: Program, rest: readonly string[]): Request {
  const word = rest.find((typed) => !typed.startsWith('-'));
  if (word === undefined) return { kind: 'help', entry: null };
  const topic = program.topics.find(({ name }) => name === word);
  if (topic !== undefined) return { kind: 'topic', topic };
  const entry = program.commands.find(({ name }) => name === word);
  if (entry === undefined) throw unknownWord(program, word, 'command or topic');
  return { kind: 'help', entry };
}

function optionsOf(
  program: Program,
  entry: CommandEntry,
  argv: readonly string[],
): Record<string, string | boolean | string[]> {
  const wrong = (message: string, hint = `Run: ${program.name} ${entry.name} --help`): UsageError =>
    new UsageError(message, { hint });
  const declared = new Map(entry.options.map((option) => [declaredOption(option).long, option]));
  const { tokens } = parseArgs({
    args: [...argv],
    // Not strict: the messages of ours say what was meant.
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      entry.options.map((option) => {
        const { long, placeholder } = declaredOption(option);
        return [long, { type: placeholder === null ? 'boolean' : 'string', multiple: true }] as const;
      }),
    ),
  });
  const args: string[] = [];
  const given = new Map<CommandOption, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind !== 'option') continue;
    const option = token.rawName.startsWith('--') ? declared.get(token.name) : undefined;
    if (option === undefined) {
      const guess = didYouMean(token.name, [...declared.keys()]);
      throw wrong(
        `unknown option "${token.rawName}"`,
        guess === null ? undefined : `Did you mean: --${guess}`,
      );
    }
    given.set(option, [...(given.get(option) ?? []), checkedValue(program, entry, option, token)]);
  }
  checkArguments(program, entry, args, wrong);

  const options: Record<string, string | boolean | string[]> = { args };
  for (const [option, values] of given) {
    const { long, name, placeholder } = declaredOption(option);
    if (values.length > 1 && option.repeatable !== true) {
      throw wrong(`--${long} is given ${values.length} times`);
    }
    options[name] = option.repeatable === true ? values : placeholder === null || (values[0] ?? '');
  }
  return options;
}

/** The value of one option as it was typed; empty for an option without one. */
function checkedValue(
  program: Program,
  entry: CommandEntry,
  option: CommandOption,
  { value, inlineValue }: { value?: string | undefined; inlineValue?: boolean | undefined },
): string {
  const { long, placeholder } = declaredOption(option);
  const hint = `Run: ${program.name} ${entry.name} --help`;
  if (placeholder === null) {
    if (value === undefined) return '';
    throw new UsageError(`--${long} takes no value`, { hint });
  }
  const isOption = inlineValue !== true && value !== undefined && value.length > 1 && value.startsWith('-');
  if (value === undefined || isOption) {
    throw new UsageError(`a value is missing: ${option.flags}`, {
      hint: isOption ? `If "${value}" is meant as the value, write: --${long}=${value}` : hint,
    });
  }
  // Nearly always a variable of a script that is not set: taking it for "not given" would hide that.
  if (value === '') throw new UsageError(`the value is empty: ${option.flags}`, { hint });
  if (option.values !== undefined && !option.values.includes(value)) {
    const guess = didYouMean(value, option.values);
    throw new UsageError(`--${long} must be ${choice(option.values)}, not "${value}"`, {
      hint: guess === null ? hint : `Did you mean: --${long} ${guess}`,
    });
  }
  return value;
}

function checkArguments(
  program: Program,
  entry: CommandEntry,
  args: readonly string[],
  wrong: (message: string, hint?: string) => UsageError,
): void {
  const known = declaredArguments(entry);
  const missing = known.find(({ isNeeded }, index) => isNeeded && args[index] === undefined);
  if (missing !== undefined) {
    const words = entry.actions === undefined ? '' : `; it is ${choice(entry.actions)}`;
    throw wrong(`an argument is missing: <${missing.name}>${words}`);
  }
  const surplus = args[known.length];
  if (surplus !== undefined) throw wrong(`one argument too many: "${surplus}"`);
  const [action] = args;
  if (entry.actions === undefined || action === undefined || entry.actions.includes(action)) return;
  const guess = didYouMean(action, entry.actions);
  throw wrong(
    `${program.name} ${entry.name} knows no "${action}"; it is ${choice(entry.actions)}`,
    guess === null ? undefined : `Did you mean: ${program.name} ${entry.name} ${guess}`,
  );
}

function unknownWord(program: Program, word: string, what: string): UsageError {
  const words = [...program.commands, ...(what === 'command' ? [] : program.topics)].map(({ name }) => name);
  const guess = didYouMean(word, words);
  const prefix = what === 'command' ? program.name : `${program.name} help`;
  return new UsageError(`there is no ${what} "${word}"`, {
    hint: guess === null ? `Run: ${program.name} --help` : `Did you mean: ${prefix} ${guess}`,
  });
}

/** `open, lan or public`. */
function choice(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
