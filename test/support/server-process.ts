import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { until } from './until.ts';

/** A server the suite started, which it may kill and start again on the same data and port. */
export interface ServerProcess {
  /** Id of the process that runs now. */
  pid(): number;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Ends it as a power cut would end a process: SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: the sockets stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Ends it and deletes its folder. */
  remove(): Promise<void>;
  /** Starts it again after stop() or kill(), and waits until it answers. */
  start(): Promise<void>;
}

// Whatever happens to the suite, no server of it stays behind.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs `command` until stopped. `answers` says whether it can be used; `gracefulSignal` ends it in order. */
export async function serverProcess({
  command,
  args,
  folder,
  options = {},
  gracefulSignal = 'SIGTERM',
  answers,
}: {
  command: string;
  args: readonly string[];
  /** Where its data are. */
  folder: string;
  options?: { uid?: number; gid?: number; cwd?: string };
  gracefulSignal?: NodeJS.Signals;
  answers: () => Promise<boolean>;
}): Promise<ServerProcess> {
  let child: ChildProcess | null = null;
  let ended: Promise<void> = Promise.resolve();
  let said = '';

  async function start(): Promise<void> {
    said = '';
    const started = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    running.add(started);
    started.once('close', () => running.delete(started));
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4_000);
      });
    }
    ended = new Promise((resolve) => {
      started.once('close', () => resolve()).once('error', () => resolve());
    });
    await until(
      `${command} answers`,
      async () => {
        if (started.exitCode !== null || started.signalCode !== null) {
          throw new Error(`${command} ended with ${started.exitCode ?? started.signalCode}:\n${said}`);
        }
        return answers();
      },
      30_000,
    );
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await ended;
  }

  const thaw = (): void => void child?.kill('SIGCONT');
  await start();
  return {
    pid: () => child?.pid ?? 0,
    stop: () => end(gracefulSignal),
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw,
    async remove() {
      thaw();
      await end(gracefulSignal);
      await rm(folder, { recursive: true, force: true });
    },
    start,
  };
}
