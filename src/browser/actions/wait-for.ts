import type { DataOf } from '../../flow/node-types/node-types.ts';
import { candidatesOf } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import { StepFailure } from '../step/step-error.ts';
import { againMs } from './look-again.ts';
import type { FoundBy, Scene } from './scene.ts';
import { elementsHaving } from './wait-for-elements.ts';
import { expressionHaving, pageHaving } from './wait-for-page.ts';

/** One of the things that are waited for together. */
export interface Condition {
  /** Looks at once where nothing is known, or waits up to `waitMs` for something else. `again`: the page was just being replaced. */
  look(known: unknown, waitMs: number): Promise<NonNullable<unknown> | 'again'>;
  /** What of it is not so, for people; null where all is. */
  unmet(read: NonNullable<unknown>, elapsedMs: number): Unmet | null;
  /** Which of its selectors that was, where it is about an element that is there. */
  found?(read: NonNullable<unknown>): FoundBy;
}

/** Something that is not so. */
export interface Unmet {
  what: string;
  kind: 'not_found' | 'timeout';
}

/**
 * Waits until all that a step names is so at once, or with `negate` until something is not. Throws StepFailure that says what
 * is missing at the end of the step's time. Gives the selector by which the element was found; null where none was to be.
 */
export async function waitForAll(data: DataOf<'waitFor'>, scene: Scene): Promise<FoundBy | null> {
  const { budget, clock, halt, frame } = scene;
  const { load, negate = false } = data;
  const within = `within ${duration(budget.timeoutMs)}`;
  if (load === 'networkidle') {
    if (negate) throw new StepFailure('invalid_data', 'negate: networkidle cannot be turned round');
    await untilIdle(scene, within);
  }
  const conditions: Condition[] = [
    ...(candidatesOf(data).length > 0 ? [elementsHaving(data, scene)] : []),
    ...pageHaving(data, scene),
    ...(data.expression === undefined ? [] : [expressionHaving(data.expression, scene)]),
  ];
  const [alone] = conditions.length === 1 ? conditions : [];
  const startedAt = clock.monotonicMs();
  let known: unknown = null;
  let unmet: Unmet[] = [];
  while (conditions.length > 0) {
    halt.throwIfAborted();
    const look =
      alone === undefined
        ? Promise.all(conditions.map((condition) => condition.look(null, 0)))
        : alone.look(known, Math.min(lookMs, budget.remainingMs())).then((read) => [read]);
    const reads = await budget.spend(look);
    if (reads === null) break;
    if (reads.includes('again')) {
      await clock.sleep(againMs, halt);
      continue;
    }
    [known] = reads;
    const elapsedMs = clock.monotonicMs() - startedAt;
    unmet = conditions
      .map((condition, index) => condition.unmet(reads[index] ?? 'again', elapsedMs))
      .filter((each) => each !== null);
    if (unmet.length > 0 === negate) {
      const [about] = conditions;
      return negate ? null : (about?.found?.(reads[0] ?? 'again') ?? null);
    }
    if (budget.remainingMs() === 0) break;
    if (alone === undefined) await budget.spend(clock.sleep(frameMs, halt));
  }
  if (conditions.length === 0) return null;
  if (known === null) throw new StepFailure('timeout', `the page at ${frame.url()} did not answer ${within}`);
  if (negate) throw new StepFailure('timeout', `what was not to be so any more was still so ${within}`);
  const isAbsent = unmet.every(({ kind }) => kind === 'not_found');
  throw new StepFailure(
    isAbsent ? 'not_found' : 'timeout',
    `${unmet.map(({ what }) => what).join('; ')} ${within}`,
  );
}

/** Longest look within the page; also how soon a rule of time is noticed. */
const lookMs = 100;
/** Between looks at several things, which the page cannot watch together. */
const frameMs = 16;

async function untilIdle({ frame, budget }: Scene, within: string): Promise<void> {
  // Playwright's own time-out would have a text of its own.
  const idle = frame.waitForLoadState('networkidle', { timeout: 0 }).then(() => true);
  if ((await budget.spend(idle)) === null) {
    throw new StepFailure('timeout', `the page went on asking the network for something ${within}`);
  }
}
