import { didYouMean } from '../lib/did-you-mean.ts';
import { UsageError } from '../lib/errors.ts';
import type { CommandEntry, CommandOption, HelpTopic, Program } from './command.ts';
import { argumentAt, declaredArguments, declaredOption, withoutShorts } from './declared.ts';
import { isOption, type Parts, takeApart } from './take-apart.ts';

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
  const at = argv.findIndex((typed) => !isOption(typed));
  const before = at === -1 ? argv : argv.slice(0, at);
  const word = at === -1 ? undefined : argv[at];
  const named = program.commands.find(({ name }) => name === word);
  const typed = at === -1 ? [] : [...before, ...argv.slice(at + 1)];
  const rest = named === undefined ? typed : withoutShorts(named, typed);
  if (asksFor(before, '--version', '-v')) return { kind: 'version' };
  if (word === 'help') return helpOn(program, rest);
  if (word === undefined) {
    if (before.length === 0 || asksFor(before, '--help', '-h')) return { kind: 'help', entry: null };
    throw new UsageError(`unknown option ${before[0]}`, { hint: `Run: ${program.name} --help` });
  }
  const { entry, ...parts } = takeApart(program, [word, ...rest]);
  if (entry === undefined) throw unknownWord(program, word, 'command');
  if (asksFor(rest, '--help', '-h')) return { kind: 'help', entry };
  return { kind: 'run', entry, options: checkedOptions(program, entry, rest, parts) };
}

/** True when one of the flags is among the arguments; what stands behind `--` is none. */
function asksFor(argv: readonly string[], ...flags: readonly string[]): boolean {
  return optionWords(argv).some((typed) => flags.includes(typed));
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

function checkedOptions(
  program: Program,
  entry: CommandEntry,
  argv: readonly string[],
  { args, given }: Pick<Parts, 'args' | 'given'>,
): Record<string, string | boolean | string[]> {
  const wrong = (message: string, hint = `Run: ${program.name} ${entry.name} --help`): UsageError =>
    new UsageError(message, { hint });
  checkNames(entry, optionWords(argv), wrong);
  const checked = [...given].map(([option, values]) => {
    const { long, name, placeholder } = declaredOption(option);
    const texts = values.map((value) => checkedValue(option, value, argv, wrong));
    if (values.length > 1 && option.repeatable !== true) {
      throw wrong(`--${long} is given ${values.length} times`);
    }
    return [name, option.repeatable === true ? texts : placeholder === null || (texts[0] ?? '')] as const;
  });
  checkArguments(program, entry, args, wrong);
  return { args: [...args], ...Object.fromEntries(checked) };
}

type Wrong = (message: string, hint?: string) => UsageError;

/** What is written as an option; behind `--` nothing is. */
function optionWords(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).filter(isOption);
}

/** Refuses an option that is not written as its row declares it. cac would take `--allowHost` and `--no-json`, and pass over `--constructor`. */
function checkNames({ options }: CommandEntry, words: readonly string[], wrong: Wrong): void {
  const declared = options.map(declaredOption);
  for (const word of words) {
    const [typed = '', value] = word.split(/=(.*)/s);
    const option = declared.find(({ long }) => typed === `--${long}`);
    if (option === undefined) {
      const guess = didYouMean(
        typed.replace(/^-+/, ''),
        declared.map(({ long }) => long),
      );
      throw wrong(`unknown option "${typed}"`, guess === null ? undefined : `Did you mean: --${guess}`);
    }
    if (option.placeholder === null && value !== undefined) throw wrong(`${typed} takes no value`);
  }
}

/** The value of one option as it was typed; empty for an option without one. */
function checkedValue(
  option: CommandOption,
  value: string | true,
  argv: readonly string[],
  wrong: Wrong,
): string {
  const { long, placeholder } = declaredOption(option);
  if (placeholder === null) return '';
  if (value === true) {
    const next = argv.find((word, index) => argv[index - 1] === `--${long}` && isOption(word));
    const hint =
      next === undefined ? undefined : `If "${next}" is meant as the value, write: --${long}=${next}`;
    throw wrong(`a value is missing: ${option.flags}`, hint);
  }
  // Nearly always a variable of a script that is not set: taking it for "not given" would hide that.
  if (value === '') throw wrong(`the value is empty: ${option.flags}`);
  if (option.values !== undefined && !option.values.includes(value)) {
    const guess = didYouMean(value, option.values);
    throw wrong(
      `--${long} must be ${choice(option.values)}, not "${value}"`,
      guess === null ? undefined : `Did you mean: --${long} ${guess}`,
    );
  }
  return value;
}

function checkArguments(program: Program, entry: CommandEntry, args: readonly string[], wrong: Wrong): void {
  const known = declaredArguments(entry);
  const missing = known.find(({ isNeeded }, index) => isNeeded && args[index] === undefined);
  if (missing !== undefined) {
    const words = entry.actions === undefined ? '' : `; it is ${choice(entry.actions)}`;
    throw wrong(`an argument is missing: <${missing.name}>${words}`);
  }
  const surplus = args.find((_, place) => argumentAt(known, place) === undefined);
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
