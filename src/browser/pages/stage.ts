import type { Frame, Page } from 'playwright-core';
import { entryOf } from '../../flow/node-types/node-types.ts';
import type { StepData } from '../../flow/step.ts';
import type { Clock } from '../../lib/clock.ts';
import { duration } from '../../lib/duration.ts';
import { type FrameStep, findFrame } from '../locating/find-frame.ts';
import { StepFailure } from '../step/step-error.ts';
import { type TimeBudget, withinMs } from '../step/time-budget.ts';
import type { PageEmulation } from './page-emulation.ts';
import type { RunPages } from './run-pages.ts';

/** Where a step acts. */
export interface Stage {
  page: Page;
  frame: Frame;
}

interface StageDeps {
  pages: RunPages;
  emulation: PageEmulation;
  budget: TimeBudget;
  clock: Clock;
  halt: AbortSignal;
}

/**
 * The page and frame that a step names, else those the flow is in, waiting until they are there. A flow that has no page left gets the
 * last one, closed as it is. Throws StepFailure `not_found`.
 */
export async function setStage({ type, data }: StepData, deps: StageDeps): Promise<Stage> {
  const { pages, emulation, budget, clock, halt } = deps;
  const reference = 'page' in data ? data.page : undefined;
  const page =
    reference === undefined ? pages.current() : await pageNamed(reference, type === 'switchPage', deps);
  pages.use(page);
  if (page.isClosed()) return { page, frame: page.mainFrame() };
  // A page that a script keeps busy is for the step itself to tell.
  await withinMs(emulation.ready(page), Math.min(readyMs, budget.remainingMs()), clock, halt);
  if (!('frame' in entryOf(type).data.shape) || type === 'frame') return { page, frame: page.mainFrame() };
  const way = 'frame' in data ? data.frame : undefined;
  return { page, frame: await frameAt(page, Array.isArray(way) ? way : undefined, deps) };
}

/** Longest a step waits for a page to have its window as it was told. */
const readyMs = 500;

async function frameAt(page: Page, way: readonly FrameStep[] | undefined, deps: StageDeps): Promise<Frame> {
  if (way !== undefined) return findFrame(page.mainFrame(), way, deps);
  const spot = deps.pages.spotIn(page);
  if (spot === null) return page.mainFrame();
  if (!spot.frame.isDetached()) return spot.frame;
  const frame = await findFrame(page.mainFrame(), spot.way, deps);
  deps.pages.enterFrame(page, { ...spot, frame });
  return frame;
}

/** How often a page is looked for that is not open yet. */
const pollMs = 20;

async function pageNamed(
  reference: string,
  isSwitch: boolean,
  { pages, budget, clock, halt }: StageDeps,
): Promise<Page> {
  // Whoever asks for the latest page or one of many addresses may be a moment before the page it means.
  const graceEndsMs = budget.remainingMs() - Math.min(1_000, budget.remainingMs() / 4);
  for (;;) {
    halt.throwIfAborted();
    const page = pages.find(reference);
    const isCertain = page !== null && isMeant(page, reference, { pages, isSwitch });
    if (page !== null && (isCertain || budget.remainingMs() <= graceEndsMs)) {
      // It keeps that address as a name: it may show another one later, and the steps after this one still mean it.
      if (isAddress(reference)) pages.name(page, reference);
      return page;
    }
    const over = page === null ? pages.isOver(reference) : null;
    if (over !== null) throw new StepFailure('not_found', `${over}; open: ${pages.list() || 'none'}`);
    if (budget.remainingMs() === 0) {
      throw new StepFailure(
        'not_found',
        `no page ${reference} was open within ${duration(budget.timeoutMs)}; open: ${pages.list() || 'none'}`,
      );
    }
    await clock.sleep(Math.min(pollMs, budget.remainingMs()), halt);
  }
}

/** False where the page that was meant may be just about to open: it is the page the flow is in already, or has only a part of the address. */
function isMeant(
  page: Page,
  reference: string,
  { pages, isSwitch }: { pages: RunPages; isSwitch: boolean },
): boolean {
  if (pages.isNamed(page, reference)) return true;
  if (reference === 'latest') return page !== pages.current();
  if (isAddress(reference)) return page.url() === new URL(reference).href;
  return !isSwitch || page !== pages.current();
}

function isAddress(reference: string): boolean {
  return /^https?:/.test(reference) && URL.canParse(reference);
}
