import type { LocalSecrets } from '../flow/local-secrets.ts';
import type { Step } from '../flow/step.ts';
import type { Clock } from '../lib/clock.ts';
import type { Redactor } from '../lib/redactor.ts';
import type { StepResult } from '../protocol/run-result.ts';
import { type Picture, takePicture } from './evidence/take-picture.ts';
import type { TypedFields } from './evidence/typed-fields.ts';
import type { RunPage } from './run-page.ts';
import { cut } from './step/step-error.ts';
import { withinMs } from './step/time-budget.ts';

/** A picture to keep, of a failure or as a checkpoint, and the step it shows. */
export type StepPicture = Picture & { nodeId: string };

/** What keeping a picture needs from around it. */
export interface PictureDeps {
  /** Stores the picture of a failure or a checkpoint; a problem does not change how the run ended. */
  keepScreenshot(picture: StepPicture): Promise<{ url: string } | { problem: string }>;
  /** Ends the wait for it. */
  signal: AbortSignal;
  clock: Clock;
}

/** Longest a result waits for its picture to be stored, whoever stores it. */
const keepPictureMs = 30_000;

type PictureKept = Pick<StepResult, 'screenshotUrl' | 'screenshotProblem'>;

/** What is kept of a step that failed: what its page did wrong, and a picture of it, or why there is none. Throws only what is a bug. */
export async function keepEvidence(
  step: Step,
  {
    opened,
    halt,
    ...hidden
  }: { opened: RunPage; halt: AbortSignal; secrets: LocalSecrets; typed: TypedFields },
  deps: PictureDeps,
): Promise<PictureKept & Pick<StepResult, 'observed'>> {
  const { redactor } = hidden.secrets;
  const observed = opened.observer.seen(redactor);
  const seen = observed === undefined ? {} : { observed };
  // A page that waits for an answer lets nobody take a picture of it.
  opened.dialogs.release();
  const picture = await takePicture(opened.pages.inUse(), { clock: deps.clock, halt, hidden });
  if ('problem' in picture) return { ...seen, screenshotProblem: cut(redactor.text(picture.problem)) };
  return { ...seen, ...(await keepPicture(step, picture, deps, redactor)) };
}

/** Has a picture stored, and tells where it is or why it is not. Throws only what is a bug. */
export async function keepPicture(
  { nodeId }: Step,
  picture: Picture,
  { clock, keepScreenshot, signal }: PictureDeps,
  redactor: Redactor,
): Promise<PictureKept> {
  const stored = withinMs(keepScreenshot({ nodeId, ...picture }), keepPictureMs, clock, signal);
  const kept = (await stored.catch((error: unknown) => {
    if (signal.aborted) return { problem: 'the run was stopped before the picture was stored' };
    throw error;
  })) ?? { problem: `the picture was not stored within ${keepPictureMs / 1_000} s` };
  return 'url' in kept
    ? { screenshotUrl: kept.url }
    : { screenshotProblem: cut(redactor.text(kept.problem)) };
}
