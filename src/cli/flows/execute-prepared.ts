import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { EngineConfig } from '../../agent/config/agent-config.ts';
import type { TraceWanted } from '../../browser/evidence/trace.ts';
import { type ExecuteDeps, executeFlow } from '../../browser/execute-flow.ts';
import { filesIn } from '../../browser/step/run-files.ts';
import type { WarmBrowser } from '../../browser/warm-browser.ts';
import type { LocalSecrets } from '../../flow/local-secrets.ts';
import { abortScope } from '../../lib/abort-scope.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { StepEvent } from '../../protocol/run-result.ts';
import type { ReportedTry } from '../../report/reported-run.ts';
import type { RulesOfRun } from '../rules-of-run.ts';
import { fileNameFor, keepPicture } from './keep-picture.ts';
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
  /** Null for none. */
  traces: TraceSetting | null;
  log: Log;
}

/** Where traces go, from where the program was started, and which are kept. */
export interface TraceSetting extends Omit<TraceWanted, 'path'> {
  folder: string;
}

/** Executes one flow, within what the policy lets it take. */
export async function executePrepared(
  { name, steps, variables, file }: PreparedFlow,
  onEvent: (event: StepEvent) => void,
  { warm, config, secrets, rules, signal, cwd, screenshots, pace, traces, log }: RunSetting,
): Promise<Omit<ReportedTry, 'startedAt'>> {
  const tracePath = traces === null ? null : join(resolve(cwd, traces.folder), `${fileNameFor(name)}.zip`);
  const halt = abortScope([signal]);
  const stopWatching = rules.watchTime(halt);
  try {
    const executed = await executeFlow(
      { steps, variables, secrets },
      {
        openPage: () => warm.newRun(),
        signal: halt.signal,
        ensureMayAct: () => halt.signal.throwIfAborted(),
        sideEffectsMayBegin: () => Promise.resolve(),
        onEvent,
        onDeed: () => {},
        keepScreenshot: (picture) => keepPicture(picture, resolve(cwd, screenshots)),
        // What the owner of a machine runs by hand may use what lies beside it.
        files: filesIn(resolve(cwd, config.filesFolder ?? dirname(file))),
        clock: systemClock,
        ...pace,
        ...(traces === null || tracePath === null
          ? {}
          : {
              trace: {
                ...traces,
                path: tracePath,
                onProblem: (problem) => log.warn(`no trace of ${name}: ${problem}`),
              },
            }),
      },
    );
    return {
      result: rules.verdict(executed, halt.signal),
      tracePath: tracePath !== null && existsSync(tracePath) ? tracePath : null,
    };
  } finally {
    stopWatching();
    halt.close();
  }
}
