/** What is so of a page. */
export interface PageFacts {
  title: string;
  url: string;
  isLoaded: boolean;
  isInteractive: boolean;
}

/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. Waits, frame by frame, for something else than
 * what is known, and at most `waitMs`.
 */
export async function readPageFacts({
  known,
  waitMs,
}: {
  known: string;
  waitMs: number;
}): Promise<PageFacts> {
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
