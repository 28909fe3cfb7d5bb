import type { Frame } from 'playwright-core';
import { answerAs, isText, isTruth, objectOf } from '../step/page-answer.ts';

/** What is so of a page. */
export interface PageFacts {
  title: string;
  url: string;
  isLoaded: boolean;
  isInteractive: boolean;
}

/** What is so of the page in this frame: at once where nothing is known, else as soon as it is something else, and at most after `waitMs`. */
export async function pageFacts(frame: Frame, known: unknown, waitMs: number): Promise<PageFacts> {
  const request = { known: known === null ? '' : JSON.stringify(known), waitMs };
  return answerAs(isPageFacts, await frame.evaluate(readPageFacts, request));
}

const isPageFacts = objectOf<PageFacts>({
  title: isText,
  url: isText,
  isLoaded: isTruth,
  isInteractive: isTruth,
});

/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. Waits, frame by frame, for something else than
 * what is known, and at most `waitMs`.
 */
async function readPageFacts({ known, waitMs }: { known: string; waitMs: number }): Promise<PageFacts> {
  const startedAt = performance.now();
  for (;;) {
    const facts = {
      title: document.title,
      url: location.href,
      isLoaded: document.readyState === 'complete',
      isInteractive: document.readyState !== 'loading',
    };
    if (JSON.stringify(facts) !== known || performance.now() - startedAt >= waitMs) return facts;
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => resolve());
      // Pages in the background get no frames.
      setTimeout(resolve, 50);
    });
  }
}
