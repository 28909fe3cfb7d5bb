import type { Locator } from 'playwright-core';
import type { StepSecrets } from '../evidence/step-secrets.ts';
import { ensureFrameMayHave } from '../step/secret-hosts.ts';
import { isBetweenDocuments } from '../step/step-error.ts';
import type { ActOptions } from './act-on-element.ts';

/**
 * Types a text that holds secrets. The page cannot be another one than that which was checked: first the element is taken
 * hold of, which ties it to its document, then the addresses of its frame and of the pages around it are judged, then that
 * very element is filled. A frame that goes elsewhere meanwhile takes the element with it, and nothing is typed.
 */
export async function typeSecret(
  locator: Locator,
  value: string,
  { timeout, signal }: ActOptions,
  { used, typed, onGiven }: StepSecrets,
): Promise<void> {
  const endsAt = performance.now() + timeout;
  const options = (): ActOptions => ({ timeout: Math.max(1, endsAt - performance.now()), signal });
  for (;;) {
    const element = await locator.elementHandle(options());
    try {
      const frame = await element.ownerFrame();
      if (frame === null) throw new Error('the element is not attached to a frame');
      onGiven(ensureFrameMayHave(used, frame));
      typed.add(locator, element);
      await element.fill(value, options());
      return;
    } catch (error) {
      // The page was drawn anew, or went elsewhere: what is there now is found and judged again.
      if (!isGone(error) || performance.now() >= endsAt || signal.aborted) throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  return (
    isBetweenDocuments(error) ||
    (error instanceof Error && /not attached|context.*(?:destroyed|navigat)/i.test(error.message))
  );
}
