import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program of this repository that runs beside the demo. */
export interface ChildProgram {
  readonly process: ChildProcess;
  /** Resolves with the exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** The last lines it said, for telling why it ended. */
  said(): string;
  /** Asks it to end (SIGTERM), and makes it end when it does not within `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

/** How a program is started. */
export interface ChildOptions {
  env: Readonly<Record<string, string | undefined>>;
  onStdout?(line: string): void;
  onStderr?(line: string): void;
  /** Ends the program when it is aborted. */
  signal?: AbortSignal;
}

/** Starts `node <path> ...args`. It is in its own process group, so that Ctrl-C reaches the demo alone, which then ends it in order. */
export function startProgram(
  path: string,
  args: readonly string[],
  { env, onStdout, onStderr, signal }: ChildOptions,
): ChildProgram {
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines: string[] = [];
  const keep = (listener?: (line: string) => void) => (line: string) => {
    lines.push(line);
    if (lines.length > 40) lines.shift();
    listener?.(line);
  };
  createInterface({ input: child.stdout }).on('line', keep(onStdout));
  createInterface({ input: child.stderr }).on('line', keep(onStderr));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code)).once('error', () => resolve(null));
  });
  const onAbort = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', onAbort, { once: true });
  void ended.then(() => signal?.removeEventListener('abort', onAbort));
  return {
    process: child,
    ended,
    said: () => lines.join('\n'),
    async stop(graceMs = 10_000) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a program to its end; gives its standard output. Throws with what it said when it does not end with one of `expected`. */
export async function runToEnd(
  path: string,
  args: readonly string[],
  options: ChildOptions,
  expected: readonly number[] = [0],
): Promise<string> {
  let stdout = '';
  const program = startProgram(path, args, {
    ...options,
    onStdout: (line) => {
      stdout += `${line}\n`;
    },
  });
  const code = await program.ended;
  options.signal?.throwIfAborted();
  if (code === null || !expected.includes(code)) {
    throw new Error(`${args.slice(0, 2).join(' ')} ended with ${code}:\n${program.said()}`);
  }
  return stdout;
}
