import { ExpectedError, UsageError } from '../lib/errors.ts';
import { exitCode } from '../lib/exit-code.ts';
import { printable } from '../lib/printable.ts';
import type { CommandContext, Program } from './command.ts';
import { commandHelp, programHelp } from './help.ts';
import { parseCommandLine } from './parse-command-line.ts';

/**
 * Runs one command line to its exit code. An ExpectedError is told as message, problems and hint; anything else is a bug
 * and is told with its stack. With `--json` the error is one object on stdout as well, for the program that reads it.
 */
export async function runProgram(
  program: Program,
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    const request = parseCommandLine(program, argv);
    if (request.kind === 'help') {
      context.stdout.write(
        request.entry === null ? programHelp(program) : commandHelp(program, request.entry),
      );
      return exitCode.done;
    }
    const command = await request.entry.load();
    const options = command.options.safeParse(request.options);
    if (!options.success) {
      throw new UsageError(`${program.name} ${request.entry.name}: the command line is wrong`, {
        problems: options.error.issues.map(({ path, message }) => `${argumentName(path)}: ${message}`),
        hint: `Run: ${program.name} ${request.entry.name} --help`,
      });
    }
    return await command.run(options.data, context);
  } catch (error) {
    return tell(error, argv.includes('--json'), context);
  }
}

function tell(error: unknown, asJson: boolean, { stdout, stderr }: CommandContext): number {
  const expected = error instanceof ExpectedError ? error : null;
  const message = expected?.message ?? String(error);
  if (asJson) {
    const body = {
      code: expected?.code ?? 'internal',
      message,
      problems: expected?.problems,
      hint: expected?.hint,
    };
    stdout.write(`${JSON.stringify({ error: body })}\n`);
  }
  if (expected === null) {
    const stack = error instanceof Error ? (error.stack ?? message) : message;
    stderr.write(`error: this is a bug in qualinet\n${stack}\n`);
    return exitCode.internal;
  }
  stderr.write(
    `error: ${printable(message)}\n${expected.problems.map((problem) => `  - ${printable(problem)}\n`).join('')}`,
  );
  if (expected.hint !== undefined) stderr.write(`${expected.hint}\n`);
  return expected.exitCode;
}

/** `['concurrency']` -> `--concurrency`, `['args', 0]` -> `argument 1`. */
function argumentName(path: readonly PropertyKey[]): string {
  const [first, second] = path;
  if (first === 'args') return typeof second === 'number' ? `argument ${second + 1}` : 'arguments';
  return `--${String(first).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
