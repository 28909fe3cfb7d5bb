import { type CAC, cac } from 'cac';
import { didYouMean } from '../lib/did-you-mean.ts';
import { errorText, UsageError } from '../lib/errors.ts';
import type { CommandEntry, CommandOption, Program } from './command.ts';

/** What a command line asks for. */
export type Request =
  | { kind: 'help'; entry: CommandEntry | null }
  | { kind: 'run'; entry: CommandEntry; options: Record<string, unknown> };

/**
 * Reads the arguments after the program's name. All values stay the strings that were typed.
 * Throws UsageError for an unknown command or option, a missing value or argument, and one too many.
 */
export function parseCommandLine(program: Program, argv: readonly string[]): Request {
  const parser = cac(program.name);
  for (const entry of program.commands) declare(parser, entry);
  try {
    parser.parse(['node', program.name, ...argv.map(uncoerced)], { run: false });
  } catch (error) {
    throw usageError(program, null, errorText(error));
  }
  const words = parser.args.map(asTyped);
  const entry = program.commands.find(({ name }) => name === parser.matchedCommandName) ?? null;
  const wantsHelp = parser.options['help'] === true || parser.options['h'] === true;
  if (entry === null) {
    const [word] = parser.rawArgs
      .slice(2)
      .map(asTyped)
      .filter((typed) => !typed.startsWith('-'));
    if (word === 'help' || (word === undefined && (wantsHelp || argv.length === 0))) {
      const named = program.commands.find(({ name }) => name === argv[argv.indexOf('help') + 1]);
      return { kind: 'help', entry: word === 'help' ? (named ?? null) : null };
    }
    throw unknownCommand(program, word, argv);
  }
  if (wantsHelp) return { kind: 'help', entry };

  try {
    parser.matchedCommand?.checkUnknownOptions();
    parser.matchedCommand?.checkOptionValue();
    parser.matchedCommand?.checkRequiredArgs();
    parser.matchedCommand?.checkUnusedArgs();
  } catch (error) {
    throw usageError(program, entry, errorText(error));
  }
  return { kind: 'run', entry, options: { ...optionsOf(program, entry, parser.options), args: words } };
}

/** `--screenshots <dir>` -> `screenshots`, `--allow-root` -> `allowRoot`. */
function optionName({ flags }: CommandOption): string {
  const long = /--([a-z][a-z-]*)/.exec(flags)?.[1] ?? '';
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function optionsOf(
  program: Program,
  entry: CommandEntry,
  parsed: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const option of entry.options) {
    const name = optionName(option);
    const values = [parsed[name]]
      .flat()
      .filter((value) => value !== undefined)
      .map(asTyped);
    if (values.length === 0) continue;
    if (values.length > 1 && option.repeatable !== true) {
      throw usageError(program, entry, `${option.flags.split(' ')[0]} is given ${values.length} times`);
    }
    options[name] = option.repeatable === true ? values : values[0];
  }
  return options;
}

function declare(parser: CAC, entry: CommandEntry): void {
  const command = parser.command(`${entry.name} ${entry.usage}`.trim(), entry.summary);
  command.option('-h, --help', 'Show help');
  for (const { flags, summary } of entry.options) command.option(flags, summary);
}

// cac turns what looks like a number into one: the code 012345 would become 12345, a runner named 007 would become 7.
// A mark no keyboard gives is put behind such values before cac sees them and taken off afterwards.
const mark = '\u{e000}';

function uncoerced(argument: string): string {
  // A lone dash, standard input, would be dropped as an option without a name.
  if (argument === '-') return mark + argument;
  const value = argument.startsWith('--') ? argument.slice(argument.indexOf('=') + 1) : argument;
  const hasValue = !argument.startsWith('-') || (argument.startsWith('--') && argument.includes('='));
  return hasValue && Number.isFinite(Number(value)) ? argument + mark : argument;
}

function asTyped<T>(value: T): T {
  return (typeof value === 'string' ? value.replaceAll(mark, '') : value) as T;
}

function unknownCommand(program: Program, word: string | undefined, argv: readonly string[]): UsageError {
  if (word === undefined) {
    return new UsageError(`unknown option ${argv[0] ?? ''}`, { hint: `Run: ${program.name} --help` });
  }
  const guess = didYouMean(
    word,
    program.commands.map(({ name }) => name),
  );
  return new UsageError(`there is no command "${word}"`, {
    hint: guess === null ? `Run: ${program.name} --help` : `Did you mean: ${program.name} ${guess}`,
  });
}

function usageError(program: Program, entry: CommandEntry | null, reason: string): UsageError {
  const message = asTyped(reason)
    .replace(/`/g, '"')
    .replace(/^./, (first) => first.toLowerCase());
  const unknown = /^unknown option "--?([^"]+)"/.exec(message)?.[1];
  const guess =
    unknown === undefined || entry === null
      ? null
      : didYouMean(
          unknown,
          entry.options.map((option) => /--([a-z-]+)/.exec(option.flags)?.[1] ?? ''),
        );
  return new UsageError(message, {
    hint:
      guess === null
        ? `Run: ${program.name} ${entry === null ? '' : `${entry.name} `}--help`
        : `Did you mean: --${guess}`,
  });
}
