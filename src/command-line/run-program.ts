import { ExpectedError, UsageError } from '../lib/errors.ts';
import { exitCode } from '../lib/exit-code.ts';
import { jsonLog } from '../lib/log.ts';
import { printable } from '../lib/printable.ts';
import { version } from '../lib/version.ts';
import { type LogFormat, logFormatFor, logFormatOption } from './appearance.ts';
import type { CommandContext, Program } from './command.ts';
import { complete } from './complete.ts';
import { commandHelp, programHelp } from './help.ts';
import type { Request } from './parse-command-line.ts';

/** What completion scripts call; no command of ours has such a name. */
const completeWord = '__complete';

/**
 * Runs one command line to its exit code. An ExpectedError is told as message, problems and hint; anything else is a bug
 * and is told with its stack. With `--json` the error is one object on stdout as well, for the program that reads it; a command
 * that keeps a log of JSON lines tells it as the last of them.
 */
export async function runProgram(
  program: Program,
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  if (argv[0] === completeWord) return answerCompletion(program, argv.slice(1), context);
  let request: Request | null = null;
  try {
    // Completion, which is asked for at every Tab, goes without what takes a command line apart.
    const { parseCommandLine } = await import('./parse-command-line.ts');
    request = parseCommandLine(program, argv);
    return await answer(program, request, argv, context);
  } catch (error) {
    return tell(error, { asJson: wantsJson(argv), logsJson: logsJson(request, context) }, context);
  }
}

async function answer(
  program: Program,
  request: Request,
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  const say = (text: string): number => {
    context.stdout.write(text);
    return exitCode.done;
  };
  switch (request.kind) {
    case 'version':
      return say(wantsJson(argv) ? `${JSON.stringify({ version })}\n` : `${version}\n`);
    case 'help':
      return say(request.entry === null ? programHelp(program) : commandHelp(program, request.entry));
    case 'topic':
      return say(await request.topic.load());
    case 'run': {
      const command = await request.entry.load();
      const options = command.options.safeParse(request.options);
      if (options.success) return command.run(options.data, context);
      throw new UsageError(`${program.name} ${request.entry.name}: the command line is wrong`, {
        problems: options.error.issues.map(({ path, message }) => `${argumentName(path)}: ${message}`),
        hint: `Run: ${program.name} ${request.entry.name} --help`,
      });
    }
  }
}

/** `__complete -- WORD… :CURRENT`: which paths the shell adds, then a word and its summary a line. */
function answerCompletion(program: Program, argv: readonly string[], { stdout }: CommandContext): number {
  const typed = argv[0] === '--' ? argv.slice(1) : argv;
  const current = typed.at(-1)?.replace(/^:/, '') ?? '';
  const { words, paths } = complete(program, [...typed.slice(0, -1), current]);
  stdout.write(`${[paths, ...words.map(({ word, summary }) => `${word}\t${summary}`)].join('\n')}\n`);
  return exitCode.done;
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

function logsJson(request: Request | null, { stderr }: CommandContext): boolean {
  if (request?.kind !== 'run' || !request.entry.options.includes(logFormatOption)) return false;
  return logFormatFor(stderr, request.options['logFormat'] as LogFormat | undefined) === 'json';
}

function tell(
  error: unknown,
  { asJson, logsJson }: { asJson: boolean; logsJson: boolean },
  { stdout, stderr }: CommandContext,
): number {
  const expected = error instanceof ExpectedError ? error : null;
  const message = expected?.message ?? String(error);
  const code = expected?.code ?? 'internal';
  const { problems, hint } = expected ?? {};
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  if (asJson) stdout.write(`${JSON.stringify({ error: { code, message, problems, hint } })}\n`);
  if (logsJson) {
    const more = expected === null ? { stack } : { problems, hint };
    jsonLog((line) => stderr.write(line)).error(message, { code, ...more });
  } else if (expected === null) {
    stderr.write(`error: this is a bug in qualinet\n${stack}\n`);
  } else {
    stderr.write(
      `error: ${printable(message)}\n${expected.problems.map((problem) => `  - ${printable(problem)}\n`).join('')}`,
    );
    if (hint !== undefined) stderr.write(`${hint}\n`);
  }
  return expected?.exitCode ?? exitCode.internal;
}

/** `['concurrency']` -> `--concurrency`, `['args', 0]` -> `argument 1`. */
function argumentName(path: readonly PropertyKey[]): string {
  const [first, second] = path;
  if (first === 'args') return typeof second === 'number' ? `argument ${second + 1}` : 'arguments';
  return `--${String(first).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
