import type { Hint, Hints } from './hints.ts';
import type { StreamMessage } from './http/handler.ts';
import type { LeaseTaker } from './leases/grant-leases.ts';

/** Hints kept for a runner that reads slowly; they decide nothing, so the rest may be dropped. */
const maxWaiting = 100;

/** Wake-up hints for one runner, until it may have none: `poll` (new runs, or other orders) and `heartbeat` with the lease whose orders changed. */
export async function* controlHints(
  {
    hints,
    isApproved,
    leasesHeldBy,
  }: {
    hints: Hints;
    isApproved: (runnerId: string) => Promise<boolean>;
    leasesHeldBy: (runnerId: string) => Promise<string[]>;
  },
  runner: LeaseTaker,
  signal: AbortSignal,
): AsyncGenerator<StreamMessage> {
  const waiting: StreamMessage[] = [];
  let wake = (): void => {};
  let isChanged = false;
  const unsubscribe = hints.subscribe((hint) => {
    isChanged ||= hint.about === 'runner' && hint.runnerId === runner.runnerId && hint.leaseId === null;
    const message = messageFor(hint, runner);
    if (message === null || waiting.length >= maxWaiting) return;
    waiting.push(message);
    wake();
  });
  signal.addEventListener('abort', () => wake());
  try {
    while (!signal.aborted) {
      if (isChanged && !(await isApproved(runner.runnerId))) {
        // The last words: what it runs, so that it asks about that at once and hears in signed answers that it was revoked.
        for (const leaseId of await leasesHeldBy(runner.runnerId))
          yield { event: 'heartbeat', data: { leaseId } };
        return;
      }
      isChanged = false;
      yield* waiting.splice(0);
      if (waiting.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unsubscribe();
  }
}

function messageFor(hint: Hint, { runnerId, workspace, labels }: LeaseTaker): StreamMessage | null {
  if (hint.about === 'runner' && hint.runnerId === runnerId) {
    return hint.leaseId === null
      ? { event: 'poll', data: {} }
      : { event: 'heartbeat', data: { leaseId: hint.leaseId } };
  }
  const isForUs =
    hint.about === 'ready' &&
    hint.workspace === workspace &&
    hint.labels.every((label) => labels.includes(label));
  return isForUs ? { event: 'poll', data: {} } : null;
}
