import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { duration } from '../lib/duration.ts';
import { ExpectedError } from '../lib/errors.ts';
import { lockFolder } from '../lib/folder-lock.ts';
import { type ChildProgram, runToEnd, startProgram } from './child-program.ts';
import { startDemoSite } from './demo-site.ts';

// Runs from dist/demo/, two folders below the root of the repository.
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = join(root, '.demo');
const runnerProgram = join(root, 'bin/qualinet.js');
const bridgeProgram = join(root, 'bin/qualinet-bridge.js');

/** The parts of a run's view that the demo prints. */
interface Outcome {
  status: string;
  durationMs: number | null;
  stepsResult: { nodeId: string; status: string; error?: string; screenshotUrl?: string }[] | null;
}

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

/**
 * The demo: a bridge, a site and a runner, each a real process or server of its own, one run that passes and one that
 * fails. Sets the exit code: 0 when both ended as they should.
 */
export async function main(): Promise<void> {
  const startedAt = performance.now();
  const interactive = process.stdout.isTTY === true && !process.env['CI'];
  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const cleanup: (() => Promise<void>)[] = [];
  try {
    await demo(cleanup, interrupted.signal);
    say(`\nThe demo took ${duration(performance.now() - startedAt)}.`);
    if (interactive) await stayUp(interrupted.signal);
    else tellWhatNext();
  } catch (error) {
    if (interrupted.signal.aborted) say('\nEnding the demo …');
    else {
      process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
      if (error instanceof ExpectedError && error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
      process.exitCode = 1;
    }
  } finally {
    for (const end of cleanup.reverse()) await end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function demo(cleanup: (() => Promise<void>)[], signal: AbortSignal): Promise<void> {
  const lock = await lockFolder(folder, 'the folder of the demo');
  cleanup.push(() => lock.release());
  await Promise.all(
    ['bridge', 'runner', 'failure.png'].map((name) =>
      rm(join(folder, name), { recursive: true, force: true }),
    ),
  );
  await mkdir(folder, { recursive: true });

  const site = await startDemoSite();
  cleanup.push(() => site.close());
  say(`Demo site   ${site.url}`);

  const bridge = startProgram(bridgeProgram, ['serve'], { env: bridgeEnv() });
  cleanup.push(() => bridge.stop());
  const url = await bridgeUrl(bridge, signal);
  say(`Bridge      ${url}   (embedded default: no Redis, no Postgres, no bucket)`);

  const { code } = JSON.parse(
    await runToEnd(bridgeProgram, ['code', '--json'], { env: bridgeEnv(), signal }),
  ) as {
    code: string;
  };
  say(`Pairing     $ qualinet pair ${code} --api ${url}`);
  await runToEnd(runnerProgram, ['pair', code, '--api', url, '--name', 'demo'], {
    env: runnerEnv(),
    signal,
    onStderr: (line) => say(`            ${line}`),
  });
  // The shop is on this machine, which is closed to flows of a server unless its owner says otherwise.
  const start = ['start', '--allow-host', new URL(site.url).host];
  say(`            $ qualinet ${start.join(' ')}`);
  const runner = startProgram(runnerProgram, start, { env: runnerEnv() });
  cleanup.push(() => runner.stop());
  say(`Runner      process ${runner.process.pid}, long-polling ${url}`);

  await show('order-tea.json', 'passed', site.url, runner, signal);
  const failed = await show('wrong-price.json', 'failed', site.url, runner, signal);
  await keepScreenshot(failed);
}

/** Queues one flow and prints its events as the bridge sends them. Throws when it does not end with `expected`. */
async function show(
  file: string,
  expected: string,
  siteUrl: string,
  runner: ChildProgram,
  signal: AbortSignal,
): Promise<Outcome> {
  const path = join(root, 'src/demo/flows', file);
  say(`\n$ qualinet-bridge submit ${relative(root, path)} --wait`);
  const submit = runToEnd(
    bridgeProgram,
    ['submit', path, '--var', `SITE=${siteUrl}`, '--wait', '--json'],
    { env: bridgeEnv(), signal, onStderr: (line) => say(`  ${line}`) },
    [0, 1],
  );
  const stdout = await Promise.race([
    submit,
    runner.ended.then((code) =>
      Promise.reject(new Error(`the runner ended with ${code}:\n${runner.said()}`)),
    ),
    aborted(signal),
  ]);
  const outcome = JSON.parse(stdout) as Outcome;
  const steps = outcome.stepsResult ?? [];
  say(`  => ${outcome.status} after ${steps.length} steps in ${duration(outcome.durationMs ?? 0)}`);
  const error = steps.find((step) => step.status === 'failed')?.error;
  if (error !== undefined) say(`     ${error}`);
  if (outcome.status !== expected)
    throw new Error(`${file} should have ended ${expected}, it ended ${outcome.status}`);
  return outcome;
}

async function keepScreenshot({ stepsResult }: Outcome): Promise<void> {
  const url = stepsResult?.find(({ status }) => status === 'failed')?.screenshotUrl;
  if (url === undefined) throw new Error('the failed run has no screenshot');
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const path = join(folder, 'failure.png');
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
  say(`     screenshot: ${relative(process.cwd(), path)}`);
}

async function stayUp(signal: AbortSignal): Promise<void> {
  const made = await runToEnd(bridgeProgram, ['code', '--json'], { env: bridgeEnv() });
  const { code, apiBaseUrl } = JSON.parse(made) as { code: string; apiBaseUrl: string };
  say(`
The bridge stays up at ${apiBaseUrl}. Pair a second runner with it in another terminal:

  QUALINET_HOME=.demo/second node bin/qualinet.js pair ${code} --api ${apiBaseUrl}
  QUALINET_HOME=.demo/second node bin/qualinet.js start --allow-host 127.0.0.1

Ctrl-C ends the demo.`);
  if (!signal.aborted) await aborted(signal).catch(() => {});
  say('\nEnding the demo …');
}

function tellWhatNext(): void {
  say(`
What to try next:
  node bin/qualinet-bridge.js serve           a bridge of your own; it prints the pair command
  node bin/qualinet.js run FLOW.json          a flow file without any server
  node bin/qualinet.js --help`);
}

/** The bridge writes bridge.json when it can be reached. */
async function bridgeUrl(bridge: ChildProgram, signal: AbortSignal): Promise<string> {
  const path = join(folder, 'bridge', 'bridge.json');
  for (;;) {
    signal.throwIfAborted();
    if (bridge.process.exitCode !== null) throw new Error(`the bridge did not start:\n${bridge.said()}`);
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return (JSON.parse(text) as { url: string }).url;
    await delay(25);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function bridgeEnv(): Record<string, string | undefined> {
  return { ...bareEnv(), QUALINET_DATA_DIR: join(folder, 'bridge'), HOST: '127.0.0.1', PORT: '0' };
}

function runnerEnv(): Record<string, string | undefined> {
  // Its pages are its own, so that it may be run by root, too.
  return { ...bareEnv(), QUALINET_HOME: join(folder, 'runner'), QUALINET_ALLOW_ROOT: 'true' };
}

/** This process's environment without what either program reads from it: the demo shows the defaults, whatever this shell is set up for. */
function bareEnv(): Record<string, string | undefined> {
  const ours = /^(API_BASE_URL|WORKER_SECRET|PUBLIC_URL|REDIS_URL|DATABASE_URL|B2_.*|QUALINET_.*)$/;
  const others = Object.entries(process.env).filter(
    ([name]) => name === 'QUALINET_BROWSER' || !ours.test(name),
  );
  return Object.fromEntries(others);
}
