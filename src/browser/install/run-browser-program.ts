import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { errorText } from '../../lib/errors.ts';
import type { Environment } from './browser-machine.ts';

/** How a program ended. */
export interface ProgramEnd {
  how: 'exited' | 'not started' | 'timed out' | 'stopped early' | 'cancelled';
  /** Exit code; null unless it exited by itself. */
  code: number | null;
  /** The last 64 KiB of stdout and stderr together. */
  output: string;
}

/** Bounds of one program. */
export interface ProgramOptions {
  env: Environment;
  limitMs: number;
  cwd?: string;
  /** Stops the program as soon as its output matches. */
  stopWhen?: RegExp;
  signal?: AbortSignal | undefined;
  /** Time between asking a program to end and killing it, in milliseconds. */
  graceMs?: number;
}

const outputLimit = 64 * 1024;

/** Runs a program without a shell or stdin and waits for its end; never throws, a program that cannot start is `not started`. */
export function runBrowserProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    let output = '';
    let stopped: ProgramEnd['how'] | null = null;
    let killTimer: NodeJS.Timeout | undefined;
    let drainTimer: NodeJS.Timeout | undefined;
    let child: ChildProcessByStdio<null, Readable, Readable>;
    try {
      child = spawn(command, args, {
        env: { ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      });
    } catch (error) {
      // Some system errors (a wrong kind of binary among them) are thrown here instead of emitted.
      resolve({ how: 'not started', code: null, output: errorText(error) });
      return;
    }
    const stop = (how: ProgramEnd['how']): void => {
      if (stopped !== null) return;
      stopped = how;
      child.kill('SIGTERM');
      killTimer = setTimeout(() => child.kill('SIGKILL'), options.graceMs ?? 5000);
    };
    const cancel = (): void => stop('cancelled');
    const limitTimer = setTimeout(() => stop('timed out'), options.limitMs);
    const finish = (end: ProgramEnd): void => {
      for (const timer of [limitTimer, killTimer, drainTimer]) clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(end);
    };
    const hear = (chunk: string): void => {
      output = (output + chunk).slice(-outputLimit);
      if (options.stopWhen?.test(output)) stop('stopped early');
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('error', (error) => {
      if (child.pid === undefined) finish({ how: 'not started', code: null, output: error.message });
    });
    const end = (code: number | null): void =>
      finish({ how: stopped ?? 'exited', code: stopped === null ? code : null, output });
    // A grandchild that outlives the program may hold the pipes open for ever.
    child.once('exit', (code) => {
      drainTimer = setTimeout(() => end(code), 1000);
    });
    child.once('close', (code) => end(code));
    if (options.signal?.aborted) cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** One line for people about a program that did not do its work; `limitMs` is the limit it had. */
export function programFailure(end: ProgramEnd, limitMs: number): string {
  if (end.how === 'timed out') return `it took longer than ${Math.round(limitMs / 1000)} s`;
  if (end.how === 'cancelled') return 'it was cancelled';
  const lines = end.output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling =
    lines.find((line) => /error while loading|not found \(required/i.test(line)) ??
    lines.find((line) => /^(npm error (?!code|errno|syscall)|E: |(\w*Error): )/.test(line)) ??
    lines.at(-1);
  const text = telling?.replace(/^(npm error|E:|\w*Error:)\s*/, '').slice(0, 300);
  return text ?? (end.code === null ? 'a signal ended it' : `it ended with exit code ${end.code}`);
}
