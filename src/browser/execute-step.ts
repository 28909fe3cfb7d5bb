import type { Frame } from 'playwright-core';
import { type LocalSecrets, secretsOfStep } from '../flow/local-secrets.ts';
import { type DataOf, entryOf, type NodeType } from '../flow/node-types/node-types.ts';
import type { RunVariables } from '../flow/run-variables.ts';
import { candidatesOf, readStep, type Step, type StepData, timeoutOf } from '../flow/step.ts';
import type { Clock } from '../lib/clock.ts';
import { duration } from '../lib/duration.ts';
import { errorText } from '../lib/errors.ts';
import { actions } from './actions/actions.ts';
import type { ActionDone, Scene } from './actions/scene.ts';
import type { StepSecrets } from './evidence/step-secrets.ts';
import type { TypedFields } from './evidence/typed-fields.ts';
import { expectPage } from './pages/opened-page.ts';
import type { RunPages } from './pages/run-pages.ts';
import { setStage } from './pages/stage.ts';
import type { RunPage } from './run-page.ts';
import type { RunDeed } from './step/run-deed.ts';
import { filesTold, type RunFiles } from './step/run-files.ts';
import { ensureAddressMayHave, ensureFrameMayHave } from './step/secret-hosts.ts';
import { FrameGoneFailure, type StepError, StepFailure, stepErrorFrom } from './step/step-error.ts';
import { nextInPage } from './step/steps-ahead.ts';
import { timeBudget } from './step/time-budget.ts';
import { besideDialogs } from './step-beside-dialogs.ts';

/** How one step ended. `stopped`: the run was told to stop while the step was under way. */
export type StepOutcome =
  | { how: 'done'; done: ActionDone }
  | { how: 'failed'; error: StepError; notes: string }
  | { how: 'stopped' };

/** What steps need from the run they are in. */
export interface StepSurroundings {
  opened: RunPage;
  /** The run's own signal to end. */
  stop: AbortSignal;
  /** Fires with it, and when the page is gone. */
  halt: AbortSignal;
  ensureMayAct: () => void;
  clock: Clock;
  secrets: LocalSecrets;
  typed: TypedFields;
  onDeed: (deed: RunDeed) => void;
  files: RunFiles;
}

/** Where in the flow a step stands. */
interface StepPlace {
  /** Rounds that the loop it is has done. */
  roundsDone: number;
  /** The steps behind it, as far as they are known. */
  ahead: () => Iterable<Step>;
}

/**
 * Executes one step with the variables as they are now, within its time. Throws only what is a bug.
 */
export async function executeStep(
  step: Step,
  variables: RunVariables,
  { opened, stop, halt, ensureMayAct, clock, secrets, typed, onDeed, files }: StepSurroundings,
  { roundsDone, ahead }: StepPlace,
): Promise<StepOutcome> {
  opened.observer.begin(step.type);
  const { used, faults } = secretsOfStep(step, secrets);
  if (faults.length > 0) {
    return { how: 'failed', error: { kind: 'blocked', message: faults.join('; ') }, notes: '' };
  }
  const values = Object.fromEntries(used.map(({ name, value }) => [name, value.reveal()]));
  const read = readStep(step, { ...variables.texts, ...values });
  if ('faults' in read) {
    const kind = leadsElsewhere(read.faults) ? 'blocked' : 'invalid_data';
    return { how: 'failed', error: { kind, message: read.faults.join('; ') }, notes: '' };
  }
  const budget = timeBudget(timeoutOf(read.step), clock, halt);
  // The action ends by itself and knows best why; this is for a browser that answers nothing any more.
  const backstop = timeBudget(budget.timeoutMs + backstopMs, clock, halt);
  try {
    halt.throwIfAborted();
    const given = new Set<string>();
    const onGiven = (origin: string): void => {
      for (const { name } of used) {
        if (!given.has(`${name} ${origin}`))
          onDeed({ type: 'secret_typed', name, nodeId: step.nodeId, origin });
        given.add(`${name} ${origin}`);
      }
    };
    const stepSecrets = used.length === 0 ? {} : { secrets: { used, typed, onGiven } };
    const { pages, emulation, network, dialogs, downloads } = opened;
    const around = { pages, emulation, network, budget, clock, halt };
    const whatOpens = nameOpenedBy(read.step);
    const untilOpened = whatOpens === undefined ? null : expectPage(whatOpens, around);
    const act = async (mayAct: () => void): Promise<ActionDone> => {
      for (;;) {
        const stage = await setStage(read.step, around);
        if (used.length > 0) judgeBefore(read.step, stage.frame, { used, onGiven });
        const scene: Scene = {
          ...around,
          ...stage,
          ensureMayAct: mayAct,
          variables,
          files: filesTold(files, step.nodeId, onDeed),
          roundsDone,
          dialogs,
          downloads,
          hidden: { secrets, typed },
          nodeId: step.nodeId,
          ahead,
          ...stepSecrets,
        };
        try {
          return await perform(read.step, scene);
        } catch (error) {
          // What has taken the place of a frame is as good as that was.
          if (!(error instanceof FrameGoneFailure) || stage.page.isClosed()) throw error;
        }
      }
    };
    let isLeft = false;
    let isOpening = false;
    const actAndOpen = async (mayAct: () => void): Promise<ActionDone> => {
      const acted = await act(mayAct);
      if (untilOpened === null) return acted;
      isOpening = true;
      const within = isLeft ? timeBudget(Math.min(budget.timeoutMs, openedLateMs), clock, halt) : budget;
      return { ...acted, logs: `${acted.logs}${await untilOpened(within)}` };
    };
    // What a dialog holds up is done when it is answered, by the step after this one.
    const leave = (work: Promise<ActionDone>): void => {
      isLeft = true;
      const ended = work.then(
        ({ extracted }) => {
          if (extracted !== undefined) {
            variables.set(extracted.variable, secrets.redactor.deep(extracted.value));
          }
          return null;
        },
        (error: unknown) => (isOpening && error instanceof StepFailure ? error : null),
      );
      dialogs.leave(ended);
    };
    const done = await backstop.spend(
      besideDialogs({ type: step.type, ahead }, { dialogs, ensureMayAct, leave }, actAndOpen),
    );
    const notes = notesOf(opened);
    if (done !== null) return { how: 'done', done: { ...done, logs: `${done.logs}${notes}` } };
    const message = `the browser did not answer within ${duration(budget.timeoutMs)}`;
    return { how: 'failed', error: { kind: 'timeout', message }, notes };
  } catch (thrown) {
    if (stop.aborted) return { how: 'stopped' };
    if (isDownload(thrown) && nextInPage(ahead()) === 'download') {
      return { how: 'done', done: { logs: `Opened a file to save${notesOf(opened)}` } };
    }
    const error = stepErrorFrom(
      opened.gone.aborted ? opened.gone.reason : await reasonOf(thrown, opened, clock),
    );
    if (error === null) throw thrown;
    return { how: 'failed', error, notes: notesOf(opened) };
  }
}

/** Where a secret goes other than into a field is known before the step begins. */
function judgeBefore(
  { type, data }: StepData,
  frame: Frame,
  { used, onGiven }: Pick<StepSecrets, 'used' | 'onGiven'>,
): void {
  switch (entryOf(type).secrets) {
    case 'element':
      return;
    case 'address':
      if ('url' in data && data.url !== undefined) onGiven(ensureAddressMayHave(used, data.url));
      return;
    case 'never':
      return;
    case 'page':
      if ('selector' in data && candidatesOf(data).some((selector) => selector.includes('enter-frame'))) {
        const names = used.map(({ name }) => name).join(', ');
        throw new StepFailure('blocked', `the secret ${names} is used in the page itself, not in its frames`);
      }
      onGiven(ensureFrameMayHave(used, frame));
  }
}

const backstopMs = 1_000;
/** So soon the event comes that tells why a page is gone. */
const reasonMs = 200;
/** So soon a page opens that waited for a dialog to be answered. */
const openedLateMs = 3_000;

function nameOpenedBy({ data }: StepData): string | undefined {
  return 'opens' in data ? data.opens : undefined;
}

function perform<Type extends NodeType>(
  { type, data }: { type: Type; data: DataOf<Type> },
  deps: Scene,
): Promise<ActionDone> {
  return actions[type](data, deps);
}

function leadsElsewhere(faults: readonly string[]): boolean {
  return faults.some((fault) => /^url: \S+: addresses are not opened/.test(fault));
}

/**
 * Playwright rejects what is under way a moment before it tells why: the event that follows names the reason. An address that
 * is being opened when its page crashes fails as one that answered with no page.
 */
async function reasonOf(thrown: unknown, { gone, pages }: RunPage, clock: Clock): Promise<unknown> {
  const isLikelyGone =
    stepErrorFrom(thrown)?.kind === 'browser_crashed' || /ERR_ABORTED/.test(errorText(thrown));
  if (!isLikelyGone) return thrown;
  await clock.sleep(reasonMs, gone).catch(() => {});
  if (gone.aborted && gone.reason instanceof StepFailure) return gone.reason;
  return pages.inUse().isClosed() ? closedPage(pages) : thrown;
}

function closedPage(pages: RunPages): StepFailure {
  const others = pages.list();
  const message = 'the page that the step was about is closed';
  return new StepFailure(
    'navigation',
    others === '' ? `${message}, and no other is open` : `${message}; open: ${others}`,
  );
}

/** The address that was opened is no page: it gave a file to save. */
function isDownload(thrown: unknown): boolean {
  return /Download is starting/.test(errorText(thrown));
}

function notesOf({ dialogs }: RunPage): string {
  return dialogs
    .takeNotes()
    .map((dialog) => `; ${dialog}`)
    .join('');
}
