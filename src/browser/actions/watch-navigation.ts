import type { Frame, Request } from 'playwright-core';
import { duration } from '../../lib/duration.ts';
import type { LocateDeps } from '../locating/locate.ts';
import { isBetweenDocuments, StepFailure } from '../step/step-error.ts';

/** Navigations of the page and of the frame a step is in, from now on. */
export interface Navigation {
  /** A document was asked for and has not come yet. */
  isUnderWay(): boolean;
  /** Resolves when the next document is there, or when none comes: its address was a download, or answered with nothing. */
  over: Promise<true>;
  stop(): void;
}

/** Begins to watch; whoever watches must stop it. */
export function watchNavigation({ page, frame }: Pick<LocateDeps, 'page' | 'frame'>): Navigation {
  let asked: Request | null = null;
  let resolveOver: (over: true) => void = () => {};
  const over = new Promise<true>((resolve) => {
    resolveOver = resolve;
  });
  const isWatched = (other: Frame | null): boolean => other === frame || other === page.mainFrame();
  function end(): void {
    asked = null;
    resolveOver(true);
  }
  const onCommit = (other: Frame): void => {
    if (isWatched(other)) end();
  };
  const onRequest = (request: Request): void => {
    if (request.isNavigationRequest() && isWatched(frameOf(request))) asked = request;
  };
  const onFailed = (request: Request): void => {
    if (request === asked) end();
  };
  page.on('framenavigated', onCommit);
  page.on('request', onRequest);
  page.on('requestfailed', onFailed);
  page.on('close', end);
  return {
    isUnderWay: () => asked !== null,
    over,
    stop() {
      page.off('framenavigated', onCommit);
      page.off('request', onRequest);
      page.off('requestfailed', onFailed);
      page.off('close', end);
    },
  };
}

/**
 * After something was done to `label`: the page it leads to is there, or the page answers again. `was` is what was done, as
 * in `clicked`. Throws StepFailure `navigation` or `timeout`.
 */
export async function untilItHadItsEffect(
  navigation: Navigation,
  { label, was }: { label: string; was: string },
  { page, frame, budget }: LocateDeps,
): Promise<void> {
  const within = `within ${duration(budget.timeoutMs)}`;
  const answer = frame.evaluate(nextTurn).catch((error: unknown) => {
    if (isBetweenDocuments(error) || frame.isDetached() || page.isClosed()) return true;
    throw error;
  });
  const effect = Promise.race([navigation.over, answer]);
  if (!navigation.isUnderWay() && (await budget.spend(effect)) === null && !navigation.isUnderWay()) {
    throw new StepFailure('timeout', `${label} was ${was}, and then the page did not answer ${within}`);
  }
  if (!navigation.isUnderWay() || (await budget.spend(navigation.over)) !== null) return;
  throw new StepFailure(
    'navigation',
    `${label} was ${was}, but the page it leads to did not answer ${within}`,
  );
}

/** Runs IN THE PAGE. What the page begins because of an event, it has begun a turn later. */
function nextTurn(): Promise<true> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(true));
  });
}

/** Null where the frame is not there yet, which is so for frames inside the page only. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame();
  } catch {
    return null;
  }
}
