import { type LocalSecrets, noSecrets } from '../flow/local-secrets.ts';
import { nodeTypes } from '../flow/node-types/node-types.ts';
import { createRunVariables } from '../flow/run-variables.ts';
import type { Step } from '../flow/step.ts';
import type { Variables } from '../flow/variables.ts';
import { abortScope } from '../lib/abort-scope.ts';
import type { Clock } from '../lib/clock.ts';
import { ExpectedError } from '../lib/errors.ts';
import { unlessAborted } from '../lib/unless-aborted.ts';
import type { RunError, RunResult, StepEvent, StepResult } from '../protocol/run-result.ts';
import { networkOutcome } from './egress/network-outcome.ts';
import { type Picture, takePicture } from './evidence/take-picture.ts';
import { createTypedFields, type TypedFields } from './evidence/typed-fields.ts';
import { executeStep } from './execute-step.ts';
import type { RunPage } from './run-page.ts';
import type { RunDeed } from './step/run-deed.ts';
import { noFiles, type RunFiles } from './step/run-files.ts';
import { cut } from './step/step-error.ts';
import { completionOf, resultOf, runErrorFrom, withoutSecrets } from './step/step-result.ts';
import { withinMs } from './step/time-budget.ts';

/** A picture to keep, and the step it shows. */
export type FailurePicture = Picture & { nodeId: string };

/** Longest a result waits for its picture to be stored, whoever stores it. */
const keepPictureMs = 30_000;

/** What a run needs from around it. */
export interface ExecuteDeps {
  openPage(): Promise<RunPage>;
  /** Ends the run, also in the middle of a step that hangs; its reason becomes the run's error. */
  signal: AbortSignal;
  /** Throws when the run may act no more. Asked right before everything that acts; `signal` may fire a moment too late. */
  ensureMayAct(): void;
  /** Resolves when a step with side effects, which was told as started, may begin. Its wait is no time of the step. */
  sideEffectsMayBegin(): Promise<void>;
  /** Hears of every step as it starts and ends. Never waited for: reporting takes no time from the run. */
  onEvent(event: StepEvent): void;
  /** Hears what the run did on this machine, as it happens. */
  onDeed(deed: RunDeed): void;
  /** Stores the picture of a failure; a problem does not change how the run ended. */
  keepScreenshot(picture: FailurePicture): Promise<{ url: string } | { problem: string }>;
  /** The files of this machine that the run may use; none where nothing is said. */
  files?: RunFiles;
  clock: Clock;
}

/** What is executed. Secrets stand over variables of the same name. */
export interface FlowRun {
  steps: readonly Step[];
  variables: Variables;
  secrets?: LocalSecrets;
}

/**
 * Executes the steps in order, in a page of their own, and stops at the first that fails. Whatever the tested site or
 * the browser does is in the result; what is thrown is a bug. Nothing that comes out of here, by whatever way, holds a secret.
 */
export async function executeFlow(run: FlowRun, deps: ExecuteDeps): Promise<RunResult> {
  try {
    return await executeSteps(run, deps);
  } catch (error) {
    throw (run.secrets ?? noSecrets).redactor.deep(error);
  }
}

async function executeSteps({ secrets = noSecrets, ...run }: FlowRun, deps: ExecuteDeps): Promise<RunResult> {
  const { redactor } = secrets;
  const { clock, signal, onEvent, onDeed, ensureMayAct } = deps;
  const runStartedAt = clock.monotonicMs();
  const variables = createRunVariables(run.variables);
  const stepsResult: StepResult[] = [];
  const typed = createTypedFields();
  const end = (status: RunResult['status'], error?: RunError): RunResult => ({
    status,
    durationMs: msSince(runStartedAt, clock),
    stepsResult,
    ...(error === undefined ? {} : { error: redactor.deep(error) }),
  });

  if (signal.aborted) return end('cancelled', runErrorFrom(signal.reason));
  const opened = await openUnlessStopped(deps);
  if (!('page' in opened)) return end(signal.aborted ? 'cancelled' : 'failed', opened);

  opened.network.listen(onDeed);
  // The run's own signal may live for hours and must not collect listeners.
  const halt = abortScope([signal, opened.gone]);
  try {
    for (const step of run.steps) {
      if (mustStop(deps)) return end('cancelled', runErrorFrom(signal.reason));
      onEvent({ type: 'step_start', nodeId: step.nodeId });
      if (nodeTypes[step.type].hasSideEffects) await untilItMayBegin(halt.signal, deps);
      const stepStartedAt = clock.monotonicMs();
      const { files = noFiles } = deps;
      const given = {
        opened,
        stop: signal,
        halt: halt.signal,
        ensureMayAct,
        clock,
        secrets,
        typed,
        onDeed,
        files,
      };
      if (step.type === 'navigate') opened.network.forget();
      const ended = networkOutcome(step, await executeStep(step, variables, given), opened.network);
      const outcome = withoutSecrets(ended, redactor);
      const durationMs = msSince(stepStartedAt, clock);

      if (outcome.how === 'done' && outcome.done.extracted !== undefined) {
        variables.set(outcome.done.extracted.variable, outcome.done.extracted.value);
      }
      const shown = { opened, halt: halt.signal, secrets, typed };
      const result = {
        ...resultOf(step, outcome, durationMs, signal),
        ...(outcome.how === 'failed' ? await keepEvidence(step, shown, deps) : {}),
      };
      stepsResult.push(result);
      onEvent(completionOf(result));

      if (outcome.how === 'stopped') return end('cancelled', runErrorFrom(signal.reason));
      if (outcome.how === 'failed') return end('failed');
    }
    return end('passed');
  } finally {
    halt.close();
    // Closing takes its time beside the result; the browser that opened the page waits for it when it ends.
    void opened.close();
  }
}

/** True when the run was stopped, by its signal or by its time: who says that by a throw has fired the signal, too. */
function mustStop({ signal, ensureMayAct }: ExecuteDeps): boolean {
  try {
    if (!signal.aborted) ensureMayAct();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return signal.aborted;
}

/** Ends also when the run stops or its page goes: the step itself then meets the reason. */
async function untilItMayBegin(halt: AbortSignal, { sideEffectsMayBegin }: ExecuteDeps): Promise<void> {
  try {
    await unlessAborted(sideEffectsMayBegin(), halt);
  } catch (error) {
    if (!halt.aborted) throw error;
  }
}

/** A page, or why there is none. A page that comes after the run was stopped is closed. */
async function openUnlessStopped({ openPage, signal }: ExecuteDeps): Promise<RunPage | RunError> {
  const opening = openPage();
  try {
    return await unlessAborted(opening, signal);
  } catch (error) {
    if (signal.aborted) {
      opening.then((page) => page.close()).catch(() => {});
      return runErrorFrom(signal.reason);
    }
    if (error instanceof ExpectedError) return runErrorFrom(error);
    throw error;
  }
}

async function keepEvidence(
  { nodeId }: Step,
  {
    opened,
    halt,
    ...hidden
  }: { opened: RunPage; halt: AbortSignal; secrets: LocalSecrets; typed: TypedFields },
  { clock, keepScreenshot, signal }: ExecuteDeps,
): Promise<Pick<StepResult, 'screenshotUrl' | 'screenshotProblem'>> {
  const picture = await takePicture(opened.pages.inUse(), { clock, halt, hidden });
  const { redactor } = hidden.secrets;
  if ('problem' in picture) return { screenshotProblem: cut(redactor.text(picture.problem)) };
  const stored = withinMs(keepScreenshot({ nodeId, ...picture }), keepPictureMs, clock, signal);
  const kept = (await stored.catch((error: unknown) => {
    if (signal.aborted) return { problem: 'the run was stopped before the picture was stored' };
    throw error;
  })) ?? { problem: `the picture was not stored within ${keepPictureMs / 1_000} s` };
  return 'url' in kept
    ? { screenshotUrl: kept.url }
    : { screenshotProblem: cut(redactor.text(kept.problem)) };
}

function msSince(startedAt: number, clock: Clock): number {
  return Math.max(0, Math.round(clock.monotonicMs() - startedAt));
}
