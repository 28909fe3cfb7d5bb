import type { Clock } from '../../lib/clock.ts';
import { CredentialsRejectedError, errorText, LeaseLostError, RefusedError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { outageReminder } from '../../lib/reminder.ts';
import { unlessAborted } from '../../lib/unless-aborted.ts';
import { limits } from '../../protocol/limits.ts';
import { bodyLimitOf } from '../../protocol/routes.ts';
import type { NumberedEvent, RunResult } from '../../protocol/run-result.ts';
import type { LeaseDeed } from '../agent-event.ts';
import type { BridgeClient } from '../client/bridge-client.ts';
import { NoAnswerError, UpgradeRequiredError } from '../client/bridge-errors.ts';
import { type RetryDeps, withRetry } from '../client/retry.ts';
import type { Storage } from '../client/storage.ts';
import type { KeptPicture } from '../spool/kept-pictures.ts';
import type { Ending, SpoolHeader } from '../spool/spool-layout.ts';
import type { MachineRules } from './admit-run.ts';
import type { LeaseEnd } from './lease-end.ts';
import type { Outbox } from './outbox.ts';
import { addPictures } from './owed-pictures.ts';
import type { Turns } from './turns.ts';

/** Everything a runner owes about one lease, and where it is kept. */
export interface Owed {
  header: SpoolHeader;
  outbox: Outbox;
  ending: Ending;
  /** False when it is in this process's memory only. */
  isOnDisk: boolean;
  /** Those that could not be uploaded yet. */
  pictures(): readonly KeptPicture[];
  /** Makes what is on disk outlive a power cut. */
  force(): Promise<void>;
  /** The bridge has it, or does not want it. */
  drop(): Promise<void>;
  /** It stays for the next start; nothing is done to it any more when this resolves. */
  keep(): Promise<void>;
}

export interface DeliverDeps extends RetryDeps {
  client: BridgeClient;
  storage: Storage;
  rules: Pick<MachineRules, 'policy'>;
  clock: Clock;
  log: Log;
  /** Ends the attempts; what is owed stays where it is. */
  signal: AbortSignal;
  /** It had to wait: pictures that could not be uploaded at once get another chance. */
  isLate: boolean;
  /** For uploads of pictures, each of which is in memory meanwhile. */
  pictureTurns: Turns;
  onDeed(deed: LeaseDeed): void;
}

/**
 * Delivers what is owed about a lease: events, pictures, then how it ended. Tries until the bridge has it, says that it is
 * not wanted, or `signal` ends the attempts.
 */
export async function deliver(owed: Owed, deps: DeliverDeps): Promise<LeaseEnd> {
  const { outbox, ending, header } = owed;
  const over = new AbortController();
  // Forcing a disk takes 5 to 50 ms: nobody waits for it where the bridge has everything sooner.
  deps.clock.sleep(forceAfterMs, over.signal).then(
    () => owed.force(),
    () => {},
  );
  try {
    if (ending.kind === 'release') {
      await unlessAborted(outbox.finish(), deps.signal);
      return await deliverRelease(header, ending, deps);
    }
    const lastEvents = await unlessAborted(outbox.finishForResult(), deps.signal);
    return await deliverResult(owed, { result: ending.result, lastEvents }, deps);
  } catch (error) {
    return endOf(error, owed, deps.signal);
  } finally {
    over.abort();
  }
}

/** What is not delivered after this may stay for hours, and is forced to the disk. */
const forceAfterMs = 1_000;

/** Times that pictures delay a late result; each may take 20 s. */
const pictureRounds = 3;

async function deliverResult(
  { header, pictures }: Owed,
  { result, lastEvents }: { result: RunResult; lastEvents: readonly NumberedEvent[] },
  deps: DeliverDeps,
): Promise<LeaseEnd> {
  const { leaseId, fence } = header;
  const { client, log, signal } = deps;
  let current = result;
  let rounds = 0;
  const tellWait = waitTeller(header, deps);
  const send = (form: ResultForm) =>
    withRetry(
      async (attempt) => {
        if ((deps.isLate || attempt > 1) && rounds < pictureRounds && pictures().length > 0) {
          rounds += 1;
          current = await addPictures(current, pictures(), header, deps);
        }
        const riding = form.hasEvents && lastEvents.length > 0 ? { lastEvents: [...lastEvents] } : {};
        const body = { fence, result: form.of(current), ...riding };
        return client.call('postResult', { params: { leaseId }, body, signal });
      },
      { signal, onRetry: ({ message }) => tellWait(`the result waits: ${message}`) },
      deps,
    );
  // A run must not hang until its lease ends because the bridge does not take this form of its result.
  const { status } = await send({ of: fitted, hasEvents: true })
    .catch((error: unknown) => send({ of: bare(refusal(error, log)), hasEvents: true }))
    .catch((error: unknown) => {
      refusal(error, log);
      // The events may be what it does not take: it may not have those before them any more.
      return send({ of: fitted, hasEvents: false });
    })
    .catch((error: unknown) => send({ of: bare(refusal(error, log)), hasEvents: false }));
  return { kind: 'delivered', status };
}

interface ResultForm {
  of(latest: RunResult): RunResult;
  hasEvents: boolean;
}

/** The refusal in `error`, which is told; every other error is thrown. */
function refusal(error: unknown, log: Log): RefusedError {
  if (!(error instanceof RefusedError)) throw error;
  log.error(`the bridge refused the result: ${error.message}`, { problems: error.problems });
  return error;
}

/** How the run ended and no more, with why the rest is missing. */
function bare({ message, problems }: RefusedError): ResultForm['of'] {
  return ({ status, durationMs }) => ({
    status,
    durationMs,
    stepsResult: [],
    error: { code: 'result_refused', message, problems: [...problems] },
  });
}

async function deliverRelease(
  header: SpoolHeader,
  { reason, detail }: Extract<Ending, { kind: 'release' }>,
  { client, signal, ...deps }: DeliverDeps,
): Promise<LeaseEnd> {
  const { leaseId, fence } = header;
  const tellWait = waitTeller(header, deps);
  await withRetry(
    () => client.call('releaseLease', { params: { leaseId }, body: { fence, reason, detail }, signal }),
    {
      signal,
      capMs: 5_000,
      onRetry: ({ message }) => tellWait(`a run waits to be handed back: ${message}`),
    },
    deps,
  );
  return { kind: 'released', reason };
}

/** Says why a delivery waits at once, then rarely: the bridge may be away for hours, and the polls tell that, too. */
function waitTeller(
  { leaseId, runId }: SpoolHeader,
  { clock, log }: Pick<DeliverDeps, 'clock' | 'log'>,
): (text: string) => void {
  const reminder = outageReminder(clock);
  return (text) => {
    const fields = { leaseId, runId };
    if (reminder.isDue(text)) log.warn(`${text}; it is tried again until the bridge answers`, fields);
    else log.debug(text, fields);
  };
}

function endOf(error: unknown, { isOnDisk }: Owed, signal: AbortSignal): LeaseEnd {
  // Of an attempt that was ended from outside nobody knows what became of it; a heartbeat may have been told of the end that it brought.
  if (error instanceof LeaseLostError && !signal.aborted) return { kind: 'lost', why: error.message };
  const isOwed =
    signal.aborted ||
    error instanceof NoAnswerError ||
    error instanceof CredentialsRejectedError ||
    error instanceof UpgradeRequiredError;
  if (isOwed) return { kind: 'kept', why: errorText(error), isOnDisk };
  if (error instanceof RefusedError) return { kind: 'lost', why: error.message };
  throw error;
}

/** The result as large as its route takes: logs of passed steps go first, then texts get shorter. */
function fitted(result: RunResult): RunResult {
  const limit = bodyLimitOf('postResult') - limits.eventBatchBytes - 1_024;
  const isFitting = (candidate: RunResult): boolean => Buffer.byteLength(JSON.stringify(candidate)) <= limit;
  if (isFitting(result)) return result;
  const withoutLogs = result.stepsResult.map(({ logs: _logs, ...step }) => step);
  const shorter = withoutLogs.map(({ extracted: _extracted, healed: _healed, observed: _seen, ...step }) => ({
    ...step,
    ...(step.screenshotProblem === undefined
      ? {}
      : { screenshotProblem: step.screenshotProblem.slice(0, 500) }),
    ...(step.error === undefined ? {} : { error: step.error.slice(0, 500) }),
  }));
  const candidates = [withoutLogs, shorter].map((stepsResult) => ({ ...result, stepsResult }));
  return candidates.find(isFitting) ?? { ...result, stepsResult: shorter.slice(-100) };
}
