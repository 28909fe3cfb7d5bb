import { dirname, resolve } from 'node:path';
import type { EngineConfig } from '../../agent/config/agent-config.ts';
import { type ExecuteDeps, executeFlow } from '../../browser/execute-flow.ts';
import { filesIn } from '../../browser/step/run-files.ts';
import type { WarmBrowser } from '../../browser/warm-browser.ts';
import type { LocalSecrets } from '../../flow/local-secrets.ts';
import { systemClock } from '../../lib/clock.ts';
import type { RunResult, StepEvent } from '../../protocol/run-result.ts';
import type { RulesOfRun } from '../rules-of-run.ts';
import { keepPicture } from './keep-picture.ts';
import type { PreparedFlow } from './prepare-flows.ts';

/** What every run of a command has in common. */
export interface RunSetting {
  warm: Pick<WarmBrowser, 'newRun'>;
  config: EngineConfig;
  secrets: LocalSecrets;
  rules: RulesOfRun;
  /** Ends all runs. */
  signal: AbortSignal;
  cwd: string;
  /** Where pictures go, from `cwd`. */
  screenshots: string;
  /** How the person at the keyboard wants steps to go. */
  pace: Pick<ExecuteDeps, 'slowMoMs' | 'beforeStep'>;
  traces: { folder: string; keep: 'always' | 'on-failure' } | null;
}

/** Executes one flow, within what the policy lets it take. */
export async function executePrepared(
  { steps, variables, file }: PreparedFlow,
  onEvent: (event: StepEvent) => void,
  { warm, config, secrets, rules, signal, cwd, screenshots, pace }: RunSetting,
): Promise<RunResult> {
  const abort = new AbortController();
  const stop = (): void => abort.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const stopWatching = rules.watchTime(abort);
  try {
    const executed = await executeFlow(
      { steps, variables, secrets },
      {
        openPage: () => warm.newRun(),
        signal: abort.signal,
        ensureMayAct: () => abort.signal.throwIfAborted(),
        sideEffectsMayBegin: () => Promise.resolve(),
        onEvent,
        onDeed: () => {},
        keepScreenshot: (picture) => keepPicture(picture, resolve(cwd, screenshots)),
        // What the owner of a machine runs by hand may use what lies beside it.
        files: filesIn(resolve(cwd, config.filesFolder ?? dirname(file))),
        clock: systemClock,
        ...pace,
      },
    );
    return rules.verdict(executed, abort.signal);
  } finally {
    stopWatching();
    signal.removeEventListener('abort', stop);
  }
}
