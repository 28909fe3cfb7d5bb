import { textOfValue } from '../../flow/run-variables.ts';
import type { Step } from '../../flow/step.ts';
import { ExpectedError, errorText } from '../../lib/errors.ts';
import type { Redactor } from '../../lib/redactor.ts';
import type { RunError, StepEvent, StepResult } from '../../protocol/run-result.ts';
import type { StepOutcome } from '../execute-step.ts';
import { cut } from './step-error.ts';

/**
 * The same outcome, in which no text holds a secret: before anything is cut, which could leave a part of one. What was
 * extracted loses it, too, lest it travel on in a later step. Names that the flow gives stay as they are.
 */
export function withoutSecrets(outcome: StepOutcome, redactor: Redactor): StepOutcome {
  const { text } = redactor;
  if (outcome.how === 'stopped') return outcome;
  if (outcome.how === 'failed') {
    const { kind, message } = outcome.error;
    return { how: 'failed', error: { kind, message: text(message) }, notes: text(outcome.notes) };
  }
  const { logs, healed, extracted, download, picture, branch, values } = outcome.done;
  return {
    how: 'done',
    done: {
      logs: text(logs),
      ...(branch === undefined ? {} : { branch }),
      ...(values === undefined ? {} : { values: values.map((value) => valueWithout(value, redactor)) }),
      ...(picture === undefined ? {} : { picture }),
      ...(healed === undefined ? {} : { healed: healedWith(text, healed) }),
      ...(extracted === undefined
        ? {}
        : { extracted: { ...extracted, value: valueWithout(extracted.value, redactor) } }),
      ...(download === undefined ? {} : { download: { ...download, fileName: text(download.fileName) } }),
    },
  };
}

/** A value loses its secrets as its text does: one that is all digits may come as a number, which is no text itself. */
function valueWithout(value: unknown, { text, deep }: Redactor): unknown {
  const clean = deep(value ?? null);
  const written = textOfValue(clean);
  const shown = text(written);
  return shown === written ? clean : shown;
}

/** What a step's outcome looks like in `stepsResult`, texts cut to what a result may hold. `signal` is the one that stopped it. */
export function resultOf(
  step: Step,
  outcome: StepOutcome,
  durationMs: number,
  signal: AbortSignal,
): StepResult {
  const common = { nodeId: step.nodeId, type: step.type, durationMs };
  if (outcome.how === 'stopped') {
    return { ...common, status: 'failed', error: cut(`stopped: ${errorText(signal.reason)}`) };
  }
  if (outcome.how === 'failed') {
    const { kind, message } = outcome.error;
    return { ...common, status: 'failed', error: cut(`${message}${outcome.notes}`), errorKind: kind };
  }
  const { logs, healed, extracted, download } = outcome.done;
  return {
    ...common,
    status: 'passed',
    logs: cut(logs),
    ...(healed === undefined ? {} : { healed: healedWith(cut, healed) }),
    ...(extracted === undefined
      ? {}
      : { extracted: { ...extracted, value: cut(textOfValue(extracted.value)) } }),
    ...(download === undefined ? {} : { download: { ...download, fileName: cut(download.fileName, 1_000) } }),
  };
}

type Healed = NonNullable<StepResult['healed']>;

function healedWith(change: (text: string) => string, { selector, insteadOf, proposed }: Healed): Healed {
  return {
    selector: change(selector),
    insteadOf: change(insteadOf),
    ...(proposed === undefined ? {} : { proposed: proposed.map((each) => change(each)) }),
  };
}

/** The event that tells how a step ended. */
export function completionOf({
  nodeId,
  status,
  durationMs,
  logs,
  error,
  screenshotUrl,
}: StepResult): StepEvent {
  return {
    type: 'step_complete',
    nodeId,
    status,
    durationMs,
    ...(logs === undefined ? {} : { logs }),
    ...(error === undefined ? {} : { error }),
    ...(screenshotUrl === undefined ? {} : { screenshotUrl }),
  };
}

/** The reason a run ended without its steps deciding it: the reason of an aborted signal, or an error a person can act on. */
export function runErrorFrom(reason: unknown): RunError {
  if (!(reason instanceof ExpectedError)) return { code: 'cancelled', message: cut(errorText(reason)) };
  const { code, message, hint, problems } = reason;
  return {
    code,
    message: cut(hint === undefined ? message : `${message}. ${hint}`),
    ...(problems.length === 0 ? {} : { problems: problems.slice(0, 1_000).map((problem) => cut(problem)) }),
  };
}
