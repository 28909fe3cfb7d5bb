import type { Frame } from 'playwright-core';
import type { Clock } from '../../lib/clock.ts';
import { duration } from '../../lib/duration.ts';
import { cut, FrameGoneFailure, isBetweenDocuments, plainMessage, StepFailure } from '../step/step-error.ts';
import type { TimeBudget } from '../step/time-budget.ts';
import { readCandidate } from './read-candidate.ts';

/** What stands for a frame: its place among the frames around it, or a selector of the element that holds it. */
export type FrameStep = number | string;

/**
 * Follows a way from `from` inwards, waiting until every frame on it is there. Throws StepFailure `not_found`, `invalid_data` for a
 * selector that means nothing, or FrameGoneFailure when `from` itself went away.
 */
export async function findFrame(
  from: Frame,
  way: readonly FrameStep[],
  { budget, clock, halt }: { budget: TimeBudget; clock: Clock; halt: AbortSignal },
): Promise<Frame> {
  let missing: { missing: FrameStep; within: Frame } | null = null;
  for (;;) {
    halt.throwIfAborted();
    // Each time from the start: a frame on the way may have been replaced.
    const followed = await budget.spend(follow(from, way));
    if (followed !== null && 'frame' in followed) return followed.frame;
    if (from.isDetached()) throw new FrameGoneFailure();
    missing = followed ?? missing;
    if (budget.remainingMs() === 0)
      throw notThere(missing ?? { missing: way.join(' > '), within: from }, budget);
    await clock.sleep(Math.min(pollMs, budget.remainingMs()), halt);
  }
}

/** How often a frame is looked for that is not there yet. */
const pollMs = 20;

async function follow(
  from: Frame,
  way: readonly FrameStep[],
): Promise<{ frame: Frame } | { missing: FrameStep; within: Frame }> {
  let frame = from;
  for (const step of way) {
    const child = await childOf(frame, step);
    if (child === null) return { missing: step, within: frame };
    frame = child;
  }
  return { frame };
}

async function childOf(frame: Frame, step: FrameStep): Promise<Frame | null> {
  const place = typeof step === 'number' ? step : placeIn(step);
  if (place !== null) return frame.childFrames()[place] ?? null;
  for (const selector of selectorsOf(String(step))) {
    try {
      for (const element of await frame.locator(readCandidate(selector).playwright).elementHandles()) {
        const held = await element.contentFrame();
        await element.dispose();
        if (held !== null) return held;
      }
    } catch (error) {
      if (isBetweenDocuments(error)) return null;
      const message = plainMessage(error).split('\n')[0] ?? '';
      if (!/parsing|selector|engine|Unexpected|Invalid/i.test(message)) throw error;
      throw new StepFailure('invalid_data', `frame ${step} is no valid selector (${cut(message, 300)})`);
    }
  }
  return null;
}

/** `index=2`, or `2` as forms write it. */
function placeIn(step: string): number | null {
  const place = /^(?:index=)?(\d{1,4})$/.exec(step)?.[1];
  return place === undefined ? null : Number(place);
}

/** Recordings name frames by name or id, too, with the name in front or without. */
function selectorsOf(step: string): string[] {
  const named = /^(name|id)=(.+)$/s.exec(step);
  if (named !== null) return [`[${named[1]}=${JSON.stringify(named[2])}]`];
  if (/^[\w-]+$/.test(step)) {
    const quoted = JSON.stringify(step);
    return [`iframe[name=${quoted}], frame[name=${quoted}], iframe[id=${quoted}], frame[id=${quoted}]`, step];
  }
  return [step.replace(/^pierce\//, '').replace(/^xpath\//, 'xpath=')];
}

function notThere(
  { missing, within }: { missing: FrameStep; within: Frame },
  { timeoutMs }: TimeBudget,
): StepFailure {
  return new StepFailure(
    'not_found',
    `there was no frame ${missing} within ${duration(timeoutMs)}${framesOf(within)}`,
  );
}

function framesOf(frame: Frame): string {
  const there = frame.childFrames();
  if (there.length === 0) return '; it has no frames';
  const shown = there.slice(0, 5).map((child, index) => {
    const name = child.name() === '' ? '' : ` "${cut(child.name(), 50)}"`;
    return `${index}${name} ${cut(child.url(), 100)}`;
  });
  return `; there were: ${shown.join(', ')}${there.length > shown.length ? ' and more' : ''}`;
}
