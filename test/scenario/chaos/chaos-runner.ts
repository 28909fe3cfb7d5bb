import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentialsPath } from '../../../src/agent/credentials/credentials.ts';
import { type ChildProgram, startProgram } from '../../../src/demo/child-program.ts';
import { runnerEnv, runnerProgram } from '../../support/system.ts';
import { until } from '../../support/until.ts';

/** What a runner's preload is told (runner-preload.js). */
export interface PreloadOrders {
  /** Dies by SIGKILL around the n-th thing of this name done to the spool from now on; `torn`: after writing half of it. */
  killAt?: { name: string; nth: number; when: 'before' | 'after' | 'torn' };
  /** Kinds of files for which the disk is full. */
  full?: readonly ('pictures' | 'events' | 'result' | 'all')[];
  /** Moves the wall clock. */
  clockOffsetMs?: number;
  /** Collects garbage before the order is acknowledged. */
  collectGarbage?: boolean;
}

/** One runner with its home: a process that may be killed and started again. */
export interface ChaosRunner {
  /** Its folder: all its processes carry it in their environment. */
  readonly place: string;
  readonly home: string;
  /** The folder its browser may write to. */
  readonly tmp: string;
  readonly runnerId: string;
  /** The key's 32 bytes, as in its file. */
  readonly key: string;
  /** Everything it said, over all its lives. */
  readonly lines: readonly string[];
  /** Exit codes and signals of the lives that ended by themselves. */
  readonly ownEnds: readonly (number | string)[];
  pid(): number;
  isRunning(): boolean;
  /** Starts it, and waits until it can be given orders. */
  start(orders?: PreloadOrders): Promise<void>;
  /** Gives orders to the living process and waits until it has read them. */
  order(orders: PreloadOrders): Promise<void>;
  /** Resolves when the life that runs now has reached its bridge: by then it has cleaned up after the one before. */
  connected(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Resolves when the life that runs now is over. */
  ended(): Promise<void>;
  kill(): Promise<void>;
  /** Where it killed itself by the preload, one line each. */
  killedAt(): Promise<string[]>;
  /** Names of everything it has done to its spool so far. */
  spoolPoints(): Promise<string[]>;
  stop(): Promise<void>;
}

/** A runner on a home that is paired already. It is not started. */
export async function chaosRunner(
  folder: string,
  { concurrency }: { concurrency: number },
): Promise<ChaosRunner> {
  const home = join(folder, 'home');
  const tmp = join(folder, 'tmp');
  const ordersPath = join(folder, 'orders.json');
  const stored = JSON.parse(await readFile(credentialsPath(home), 'utf8')) as {
    runnerId: string;
    keys: { secret: string }[];
  };
  const lines: string[] = [];
  const ownEnds: (number | string)[] = [];
  let program: ChildProgram | null = null;
  let isEndWanted = false;
  let id = 0;
  /** Where in `lines` the life that runs now begins. */
  let firstLine = 0;

  const isRunning = (): boolean =>
    program !== null && program.process.exitCode === null && program.process.signalCode === null;

  async function writeOrders(orders: PreloadOrders): Promise<void> {
    id += 1;
    await writeFile(`${ordersPath}.new`, JSON.stringify({ id, spool: join(home, 'spool'), ...orders }));
    await rename(`${ordersPath}.new`, ordersPath);
  }

  async function ordersRead(): Promise<void> {
    const wanted = String(id);
    await until('the runner has read its orders', async () => {
      const isRead = (await readFile(`${ordersPath}.read`, 'utf8').catch(() => '')) === wanted;
      if (!isRead && !isRunning()) throw new Error(`the runner has ended:\n${lines.slice(-20).join('\n')}`);
      return isRead;
    });
  }

  const linesOf = async (path: string): Promise<string[]> => {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  };

  return {
    place: folder,
    home,
    tmp,
    runnerId: stored.runnerId,
    key: stored.keys[0]?.secret ?? '',
    lines,
    ownEnds,
    pid: () => program?.process.pid ?? 0,
    isRunning,
    async start(orders = {}) {
      if (isRunning()) return;
      await writeOrders(orders);
      isEndWanted = false;
      firstLine = lines.length;
      const keep = (line: string): void => void lines.push(line);
      const started = startProgram(runnerProgram, ['start', '--concurrency', String(concurrency)], {
        env: {
          ...runnerEnv(home),
          TMPDIR: tmp,
          NODE_OPTIONS: `--import=${preload}`,
          QUALINET_CHAOS_ORDERS: ordersPath,
        },
        onStdout: keep,
        onStderr: keep,
      });
      program = started;
      void started.ended.then((code) => {
        if (!isEndWanted) ownEnds.push(code ?? started.process.signalCode ?? 'unknown');
      });
      await ordersRead();
    },
    async order(orders) {
      await writeOrders(orders);
      program?.process.kill('SIGUSR2');
      await ordersRead();
    },
    async connected() {
      const isConnected = (): boolean =>
        lines.slice(firstLine).some((line) => line.includes('connected; waiting for runs'));
      await until('the runner is connected', () => !isRunning() || isConnected(), 60_000);
    },
    signal: (name) => void program?.process.kill(name),
    async ended() {
      await program?.ended;
    },
    async kill() {
      if (!isRunning()) return;
      isEndWanted = true;
      program?.process.kill('SIGKILL');
      await program?.ended;
    },
    killedAt: () => linesOf(`${ordersPath}.points`),
    spoolPoints: async () => [...new Set(await linesOf(`${ordersPath}.seen`))],
    async stop() {
      isEndWanted = true;
      program?.process.kill('SIGCONT');
      await program?.stop(20_000);
    },
  };
}

// Found from the program, because this file may be part of a bundle.
const preload = join(runnerProgram, '../../test/scenario/chaos/runner-preload.js');
