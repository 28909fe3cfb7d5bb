import { type AbortScope, abortScope } from '../../lib/abort-scope.ts';
import { type Clock, fullJitterMs } from '../../lib/clock.ts';
import { CancelledError, errorText, LeaseLostError, RefusedError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { limits } from '../../protocol/limits.ts';
import type { NumberedEvent, StepEvent } from '../../protocol/run-result.ts';
import type { BridgeClient } from '../client/bridge-client.ts';
import { NoAnswerError } from '../client/bridge-errors.ts';
import { type RetryDeps, withRetry } from '../client/retry.ts';
import type { LeaseSpool } from '../spool/lease-spool.ts';
import { createWakeUp, type WakeUp } from '../wake-up.ts';

/** How long events gather before a batch leaves. Source: docs/decisions/0008. */
const batchMs = 250;

export interface OutboxDeps extends RetryDeps {
  client: BridgeClient;
  clock: Clock;
  log: Log;
  /** Events are on disk before they are sent; null for leftovers, which are there already. */
  spool: Pick<LeaseSpool, 'append' | 'written'> | null;
  /** Ends sending for good. */
  signal: AbortSignal;
  /** The bridge said that the lease is somebody else's. */
  onLost(error: LeaseLostError): void;
}

/**
 * The events of one lease on their way out: numbered from 1, in batches of 250 ms or 32 KiB, one batch in flight. After
 * a lost answer the same batch goes again; the bridge answers with the number up to which it has stored them.
 * States: idle -> gathering (a batch is due) -> sending -> idle, until closed (delivered, lost, refused or stopped).
 */
export class Outbox {
  readonly #lease: { leaseId: string; fence: number };
  readonly #deps: OutboxDeps;
  /** Not acknowledged yet, oldest first. */
  readonly #owed: NumberedEvent[] = [];
  #nextSeq = 1;
  #owedBytes = 0;
  #isClosed = false;
  #isFinishing = false;
  #leavesLastBatch = false;
  /** Those who wait until everything up to a number is stored. */
  readonly #awaited: { lastSeq: number; resolve(): void; reject(reason: unknown): void }[] = [];
  readonly #scope: AbortScope;
  readonly #gathering: WakeUp;
  #loop: Promise<void> | null = null;

  constructor(
    lease: { leaseId: string; fence: number },
    deps: OutboxDeps,
    leftover: readonly NumberedEvent[] = [],
  ) {
    this.#lease = lease;
    this.#deps = deps;
    this.#scope = abortScope([deps.signal]);
    this.#gathering = createWakeUp(deps.clock);
    this.#owed.push(...leftover);
    this.#nextSeq = leftover.length + 1;
  }

  /** Takes an event; returns at once. */
  push(event: StepEvent): void {
    const { clock, spool } = this.#deps;
    const numbered = { seq: this.#nextSeq, at: new Date(clock.nowMs()).toISOString(), event };
    this.#nextSeq += 1;
    spool?.append(numbered);
    if (this.#isClosed) return;
    this.#owed.push(numbered);
    this.#owedBytes += sizeOf(numbered);
    if (this.#owedBytes >= limits.eventBatchBytes) this.#gathering.wake();
    this.#loop ??= this.#run();
  }

  /**
   * Sends what there is now without waiting for a batch to fill; resolves when the bridge has stored it. Rejects when it
   * never will: nothing more can be sent.
   */
  stored(): Promise<void> {
    if (this.#owed.length === 0 && !this.#isClosed) return Promise.resolve();
    const lastSeq = this.#nextSeq - 1;
    const isStored = new Promise<void>((resolve, reject) => {
      this.#awaited.push({ lastSeq, resolve, reject });
    });
    isStored.catch(() => {});
    if (this.#isClosed) this.#giveUp(new CancelledError('nothing more is sent of this run'));
    this.#gathering.wake();
    return isStored;
  }

  /** Sends what is left without waiting for a batch to fill; resolves when nothing is owed or nothing more can be sent. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    this.#gathering.wake();
    if (this.#isSendingDue()) this.#loop ??= this.#run();
    await this.#loop;
  }

  /** As {@link finish}, but leaves a last batch that can ride with the result, and gives it: everything before it is stored. */
  async finishForResult(): Promise<NumberedEvent[]> {
    this.#leavesLastBatch = true;
    await this.finish();
    return this.#isClosed ? [] : [...this.#owed];
  }

  /** Sends nothing more; what is owed stays in the spool. */
  stop(): void {
    this.#isClosed = true;
    this.#giveUp(new CancelledError('the outbox was stopped'));
    this.#scope.abort(new CancelledError('the outbox was stopped'));
    this.#scope.close();
  }

  async #run(): Promise<void> {
    try {
      while (this.#isSendingDue()) {
        await this.#gather();
        if (!this.#isSendingDue()) break;
        await this.#deps.spool?.written();
        await this.#send();
      }
    } catch (error) {
      this.#isClosed = true;
      this.#giveUp(error);
      if (error instanceof LeaseLostError) this.#deps.onLost(error);
      else if (!this.#scope.signal.aborted)
        this.#deps.log.error(`step events were not taken: ${errorText(error)}`);
    } finally {
      this.#loop = null;
    }
  }

  #isSendingDue(): boolean {
    if (this.#owed.length === 0 || this.#isClosed) return false;
    return !this.#leavesLastBatch || firstBatch(this.#owed).length < this.#owed.length;
  }

  async #gather(): Promise<void> {
    if (this.#isFinishing || this.#awaited.length > 0 || this.#owedBytes >= limits.eventBatchBytes) return;
    await this.#gathering.sleep(batchMs, this.#scope.signal);
  }

  async #send(): Promise<void> {
    const { client, log } = this.#deps;
    const { signal } = this.#scope;
    const { leaseId, fence } = this.#lease;
    await withRetry(
      async (attempt) => {
        const batch = firstBatch(this.#owed);
        const { ackedSeq } = await client.call('postEvents', {
          params: { leaseId },
          body: { fence, events: batch },
          signal,
        });
        const firstSeq = batch[0]?.seq ?? 1;
        const isNews = ackedSeq >= firstSeq;
        this.#acknowledge(ackedSeq);
        if (ackedSeq < firstSeq - 1) {
          // Its database was restored, perhaps. They are not here any more either, and the result must not wait for them.
          throw new RefusedError(
            'events_missing',
            `the bridge has lost events that it had acknowledged: it has them up to ${ackedSeq}`,
          );
        }
        // An answer that stores nothing must not become a loop without a pause.
        if (!isNews) {
          throw new NoAnswerError(`the bridge has stored events only up to ${ackedSeq}`, {
            retryAfterMs: fullJitterMs(attempt, { random: this.#deps.random }),
          });
        }
      },
      { signal, onRetry: ({ message }) => log.debug(`events wait: ${message}`) },
      this.#deps,
    );
  }

  #acknowledge(ackedSeq: number): void {
    const stored = this.#owed.filter(({ seq }) => seq <= ackedSeq).length;
    for (const event of this.#owed.splice(0, stored)) this.#owedBytes -= sizeOf(event);
    const firstOwed = this.#owed[0]?.seq ?? this.#nextSeq;
    for (const one of this.#awaited.filter(({ lastSeq }) => lastSeq < firstOwed)) {
      this.#awaited.splice(this.#awaited.indexOf(one), 1);
      one.resolve();
    }
  }

  #giveUp(reason: unknown): void {
    for (const one of this.#awaited.splice(0)) one.reject(reason);
  }
}

function firstBatch(owed: readonly NumberedEvent[]): NumberedEvent[] {
  const batch: NumberedEvent[] = [];
  let bytes = 0;
  for (const event of owed) {
    bytes += sizeOf(event);
    if (batch.length > 0 && (bytes > limits.eventBatchBytes || batch.length === limits.eventsPerBatch)) break;
    batch.push(event);
  }
  return batch;
}

function sizeOf(event: NumberedEvent): number {
  return Buffer.byteLength(JSON.stringify(event)) + 1;
}
