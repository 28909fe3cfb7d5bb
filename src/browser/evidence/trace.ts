import { chmod, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import type { LocalSecrets } from '../../flow/local-secrets.ts';
import { UsageError } from '../../lib/errors.ts';
import { plainMessage } from '../step/step-error.ts';

/** A trace of a run, for Playwright's viewer. Made only when asked: its snapshots cost a fifth of the run's time. */
export interface TraceWanted {
  /** The zip file it is written to. */
  path: string;
  keep: 'always' | 'onFailure';
  /** True where somebody at this machine said that the trace may hold secrets. */
  mayHoldSecrets?: boolean;
}

/** A trace that is being written. */
export interface RunTrace {
  /** What follows belongs to this step. */
  begin(title: string): Promise<void>;
  /** The step is over. */
  end(): Promise<void>;
  /** Writes the file, or lets it be. Call it before the context is closed. */
  finish(given: { hasFailed: boolean }): Promise<'finished' | { problem: string }>;
}

/**
 * Why this trace may not be made, null when it may. A trace holds everything that was typed and every request with its
 * headers, and nothing can be taken out of it: on a machine with secrets it is made only where that was said in so many words.
 */
export function traceRefusal(
  { mayHoldSecrets = false }: Pick<TraceWanted, 'mayHoldSecrets'>,
  { names }: LocalSecrets,
): UsageError | null {
  if (names.length === 0 || mayHoldSecrets) return null;
  return new UsageError('a trace would hold the secrets of this run', {
    hint: 'It shows what was typed and sent. Run it without --secrets, or let the file hold them: --trace-secrets',
  });
}

/** No trace at all. */
export const noTrace: RunTrace = {
  begin: () => Promise.resolve(),
  end: () => Promise.resolve(),
  finish: () => Promise.resolve('finished'),
};

/** Starts a trace of everything that happens in `context`, where {@link traceRefusal} has nothing against it. */
export async function startTrace(context: BrowserContext, { path, keep }: TraceWanted): Promise<RunTrace> {
  const started = context.tracing.start({ screenshots: false, snapshots: true });
  await started.catch(() => {});
  // A step that hangs or a browser that died does not keep the run: what is missing then is missing in the trace alone.
  const tolerate = async (work: Promise<unknown>): Promise<void> => {
    await work.catch(() => {});
  };
  return {
    begin: (title) => tolerate(context.tracing.group(title)),
    end: () => tolerate(context.tracing.groupEnd()),
    async finish({ hasFailed }) {
      try {
        await started;
        if (keep === 'onFailure' && !hasFailed) {
          await context.tracing.stop();
          return 'finished';
        }
        await mkdir(dirname(path), { recursive: true });
        await context.tracing.stop({ path });
        // It may hold what was typed: nobody else's business on this machine.
        await chmod(path, 0o600);
        return 'finished';
      } catch (error) {
        await rm(path, { force: true }).catch(() => {});
        return {
          problem: `no trace could be written to ${path}: ${plainMessage(error).split('\n')[0] ?? ''}`,
        };
      }
    },
  };
}
