import { type LocalSecrets, noSecrets } from '../flow/local-secrets.ts';
import { nodeTypes } from '../flow/node-types/node-types.ts';
import { createRunVariables, noRoomFor, type RunVariables } from '../flow/run-variables.ts';
import { type Block, type Step, stepsIn } from '../flow/step.ts';
import { patienceOf } from '../flow/step-patience.ts';
import type { Variables } from '../flow/variables.ts';
import { walkThrough } from '../flow/walk.ts';
import { abortScope } from '../lib/abort-scope.ts';
import type { Clock } from '../lib/clock.ts';
import { ExpectedError } from '../lib/errors.ts';
import { unlessAborted } from '../lib/unless-aborted.ts';
import { limits } from '../protocol/limits.ts';
import type { RunError, RunResult, StepEvent, StepResult } from '../protocol/run-result.ts';
import { networkOutcome } from './egress/network-outcome.ts';
import { noTrace, startTrace, type TraceWanted, traceRefusal } from './evidence/trace.ts';
import { createTypedFields } from './evidence/typed-fields.ts';
import { executeStep, type StepOutcome, type StepSurroundings } from './execute-step.ts';
import { keepEvidence, keepPicture, type PictureDeps } from './keep-evidence.ts';
import { lateDialogResults } from './late-dialogs.ts';
import type { RunPage } from './run-page.ts';
import { createResultRoom } from './step/result-room.ts';
import type { RunDeed } from './step/run-deed.ts';
import { noFiles, type RunFiles } from './step/run-files.ts';
import { completionOf, resultOf, runErrorFrom, withoutSecrets } from './step/step-result.ts';
import { withinMs } from './step/time-budget.ts';
import { isPassing, tryStep } from './try-step.ts';

/** Longest the browser may take to be told that it is to keep downloads; it takes some milliseconds. */
const keepDownloadsMs = 5_000;
/** Longest the end of a run waits for its trace; also of one that was stopped. */
const finishTraceMs = 30_000;
const never = new AbortController().signal;

/** Loops around a step whose rounds its result tells, from the outside in. Source: stepResultSchema. */
const maxRounds = 50;

const tooManySteps: RunError = {
  code: 'too_many_steps',
  message: `The run was ended after ${limits.steps} steps, the most that one may execute; each round of a loop counts.`,
};

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
  keepScreenshot: PictureDeps['keepScreenshot'];
  /** The files of this machine that the run may use; none where nothing is said. */
  files?: RunFiles;
  /** A pause before each step, for whoever watches. */
  slowMoMs?: number;
  /** Waited for before each step, as by a person who goes through a flow step by step. */
  beforeStep?(step: Step): Promise<void>;
  /** A trace of the run; a problem with it does not change how the run ended. None where nothing is said. */
  trace?: TraceWanted & { onProblem(problem: string): void };
  clock: Clock;
}

/** What is executed. Secrets stand over variables of the same name. */
export interface FlowRun {
  steps: Block;
  variables: Variables;
  secrets?: LocalSecrets;
}

/**
 * Executes the steps, in a page of their own and along the branches they take, and stops at the first that fails and is not
 * soft. Whatever the tested site or the browser does is in the result; what is thrown is a bug. Nothing that comes out of here, by whatever way, holds a secret.
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
  const room = createResultRoom();
  const typed = createTypedFields();
  const end = (status: RunResult['status'], error?: RunError): RunResult => ({
    status,
    durationMs: msSince(runStartedAt, clock),
    stepsResult,
    ...(error === undefined ? {} : { error: redactor.deep(error) }),
  });

  if (signal.aborted) return end('cancelled', runErrorFrom(signal.reason));
  const refusal = deps.trace === undefined ? null : traceRefusal(deps.trace, secrets);
  if (refusal !== null) return end('failed', runErrorFrom(refusal));
  const opened = await openUnlessStopped(deps);
  if (!('page' in opened)) return end(signal.aborted ? 'cancelled' : 'failed', opened);

  opened.network.listen(onDeed);
  // The run's own signal may live for hours and must not collect listeners.
  const halt = abortScope([signal, opened.gone]);
  const trace = deps.trace === undefined ? noTrace : await startTrace(opened.context, deps.trace);
  let isPassed = false;
  /** Tells what became of dialogs whose steps are over, and what that means for the run; null where all is well. */
  const tellLateDialogs = async ({ isOver }: { isOver: boolean }): Promise<'failed' | 'soft' | null> => {
    const given = { variables, redactor, clock, halt: halt.signal, isOver };
    const results = await lateDialogResults(opened.dialogs, given);
    for (const result of results) {
      // Events have the same limit as results, two for each.
      if (stepsResult.length === limits.steps) break;
      onEvent({ type: 'step_start', nodeId: result.nodeId });
      stepsResult.push(result);
      onEvent(completionOf(result));
    }
    if (results.length === 0) return null;
    return results.every(({ soft }) => soft) ? 'soft' : 'failed';
  };
  try {
    if (stepsIn(run.steps).some(({ type }) => type === 'download')) {
      // Where the browser does not let itself be told, the steps meet the reason.
      await withinMs(opened.downloads.keep(opened.page), keepDownloadsMs, clock, halt.signal).catch(() => {});
    }
    const walk = walkThrough(run.steps);
    let hasSoftFailure = false;
    const { files = noFiles } = deps;
    const given: StepSurroundings = {
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
    for (let { step } = walk; step !== null; { step } = walk) {
      if (stepsResult.length === limits.steps) return end('failed', tooManySteps);
      await holdBack(step, halt.signal, deps);
      if (mustStop(deps)) return end('cancelled', runErrorFrom(signal.reason));
      onEvent({ type: 'step_start', nodeId: step.nodeId });
      if (nodeTypes[step.type].hasSideEffects) await untilItMayBegin(halt.signal, deps);
      const stepStartedAt = clock.monotonicMs();
      const place = { roundsDone: walk.roundsDone(), ahead: walk.ahead };
      await trace.begin(`${step.nodeId}: ${step.type}`);
      const patience = patienceOf(step, variables.texts);
      const begun = step;
      const { outcome: ended, attempts } = await tryStep(
        async () => {
          if (begun.type === 'navigate') opened.network.forget();
          return networkOutcome(begun, await executeStep(begun, variables, given, place), opened.network);
        },
        patience,
        { clock, halt: halt.signal },
      );
      const outcome = unlessTooMuch(withoutSecrets(ended, redactor), variables);
      const durationMs = msSince(stepStartedAt, clock);

      if (outcome.how === 'done' && outcome.done.extracted !== undefined) {
        variables.set(outcome.done.extracted.variable, outcome.done.extracted.value);
      }
      await trace.end();
      const isSoft = patience.isSoft && isPassing(outcome) && !halt.signal.aborted;
      const rounds = walk.rounds().slice(0, maxRounds);
      const shown = { opened, halt: halt.signal, secrets, typed };
      const picture = outcome.how === 'done' ? outcome.done.picture : undefined;
      const result = {
        ...resultOf(step, outcome, durationMs, signal),
        ...(isSoft ? { soft: true } : {}),
        ...(attempts === 1 ? {} : { attempts }),
        ...(rounds.length === 0 ? {} : { rounds }),
        ...(outcome.how === 'failed' ? await keepEvidence(step, shown, deps) : {}),
        ...(picture === undefined ? {} : await keepPicture(step, picture, deps, redactor)),
      };
      stepsResult.push(room.fit(result));
      onEvent(completionOf(result));

      if (outcome.how === 'stopped') return end('cancelled', runErrorFrom(signal.reason));
      const late = await tellLateDialogs({ isOver: false });
      if (late === 'failed' || (outcome.how === 'failed' && !isSoft)) return end('failed');
      if (isSoft || late === 'soft') hasSoftFailure = true;
      walk.goOn(outcome.how === 'done' ? outcome.done : {}, (loop, value) => {
        const { as: name } = loop.fields;
        if (typeof name === 'string') variables.set(name, value);
      });
    }
    const late = await tellLateDialogs({ isOver: true });
    isPassed = late === null && !hasSoftFailure;
    return end(isPassed ? 'passed' : 'failed');
  } finally {
    halt.close();
    const traced = await withinMs(trace.finish({ hasFailed: !isPassed }), finishTraceMs, clock, never);
    if (traced !== 'finished') deps.trace?.onProblem(traced?.problem ?? 'the trace was not written in time');
    // Closing takes its time beside the result; the browser that opened the page waits for it when it ends.
    void opened.close();
  }
}

/** A step that would set a variable for which there is no more room has failed. */
function unlessTooMuch(outcome: StepOutcome, { hasRoomFor }: RunVariables): StepOutcome {
  if (outcome.how !== 'done' || outcome.done.extracted === undefined) return outcome;
  const { variable, value } = outcome.done.extracted;
  if (hasRoomFor(variable, value)) return outcome;
  return { how: 'failed', error: { kind: 'invalid_data', message: noRoomFor(variable) }, notes: '' };
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

/** Waits for whoever watches. Ends also when the run stops or its page goes. */
async function holdBack(
  step: Step,
  halt: AbortSignal,
  { slowMoMs = 0, beforeStep, clock }: ExecuteDeps,
): Promise<void> {
  try {
    if (slowMoMs > 0) await clock.sleep(slowMoMs, halt);
    if (beforeStep !== undefined) await unlessAborted(beforeStep(step), halt);
  } catch (error) {
    if (!halt.aborted) throw error;
  }
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

function msSince(startedAt: number, clock: Clock): number {
  return Math.max(0, Math.round(clock.monotonicMs() - startedAt));
}
