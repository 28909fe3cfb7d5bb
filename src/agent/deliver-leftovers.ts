import { errorText } from '../lib/errors.ts';
import type { AgentEvent } from './agent-event.ts';
import { type DeliverDeps, deliverRelease, deliverResult } from './deliver.ts';
import type { Identity } from './identity.ts';
import type { LeaseEnd } from './lease-end.ts';
import { Outbox } from './outbox.ts';
import type { Leftover } from './spool.ts';

/**
 * Delivers what an earlier life of this runner owed, one after the other: events, then the result; a run without a result
 * was interrupted and is handed back. What belongs to another runner or bridge is removed: nobody else may see it.
 */
export async function deliverLeftovers(
  leftovers: readonly Leftover[],
  deps: DeliverDeps & { identity: Identity; tell(event: AgentEvent): void },
): Promise<void> {
  const { runnerId } = deps.identity.credentials;
  for (const leftover of leftovers) {
    const { runId } = leftover.header;
    const isOurs =
      leftover.header.runnerId === runnerId && leftover.header.apiBaseUrl === deps.client.apiBaseUrl;
    const end: LeaseEnd = isOurs
      ? await deliver(leftover, deps)
      : { kind: 'lost', why: 'it belongs to another pairing of this machine' };
    if (end.kind !== 'kept') {
      await leftover.drop().catch((error: unknown) => deps.log.warn(`the spool stays: ${errorText(error)}`));
    }
    deps.tell({ type: 'leftover', runId, end });
    if (deps.signal.aborted) return;
  }
}

async function deliver({ header, events, result }: Leftover, deps: DeliverDeps): Promise<LeaseEnd> {
  let lost: LeaseEnd | null = null;
  const outbox = new Outbox(
    header,
    {
      ...deps,
      spool: null,
      onLost: (error) => {
        lost = { kind: 'lost', why: error.message };
      },
    },
    events,
  );
  await outbox.finish();
  outbox.stop();
  if (lost !== null) return lost;
  if (deps.signal.aborted) return { kind: 'kept', why: errorText(deps.signal.reason) };
  return result === null
    ? deliverRelease(header, { reason: 'interrupted', detail: 'the runner ended during this run' }, deps)
    : deliverResult(header, { result, lastEvents: [] }, deps);
}
