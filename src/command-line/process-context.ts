import type { Redactor } from '../lib/redactor.ts';
import { version } from '../lib/version.ts';
import type { CommandContext, Program } from './command.ts';

/**
 * Runs the program on this process: arguments, streams, signals, exit code.
 * `--version` is answered before anything else is loaded; scripts call it often.
 */
export async function runOnProcess(load: () => Promise<Program>): Promise<void> {
  const argv = process.argv.slice(2);
  // A reader that closes the pipe early (`| head`) hears no more; what the command does, and its exit code, stay the same.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const [program, { runProgram }] = await Promise.all([load(), import('./run-program.ts')]);
  process.exitCode = await runProgram(program, argv, processContext());
}

function processContext(): CommandContext {
  let redactor: Redactor | null = null;
  const redacted = (text: string): string => redactor?.text(text) ?? text;
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: { write: (text) => process.stdout.write(redacted(text)), isTTY: process.stdout.isTTY === true },
    stderr: { write: (text) => process.stderr.write(redacted(text)), isTTY: process.stderr.isTTY === true },
    stdin: process.stdin,
    onSignal(listener) {
      const on = (signal: NodeJS.Signals): void => {
        // A terminal that is closed asks for the same as whoever sends SIGTERM: an end in order.
        listener(signal === 'SIGINT' ? signal : 'SIGTERM');
      };
      process.on('SIGINT', on).on('SIGTERM', on).on('SIGHUP', on);
      return () => process.off('SIGINT', on).off('SIGTERM', on).off('SIGHUP', on);
    },
    useRedactor(given) {
      redactor = given;
      // Node prints an error that nobody catches by itself, right after this.
      process.prependListener('uncaughtExceptionMonitor', (error) => void given.deep(error));
    },
    exit: (code) => process.exit(code),
    useTempFolder,
  };
}

function useTempFolder(path: string): () => void {
  const names = process.platform === 'win32' ? ['TEMP', 'TMP'] : ['TMPDIR'];
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) process.env[name] = path;
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
