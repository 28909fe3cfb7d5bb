import type { Locator } from 'playwright-core';
import { isBetweenDocuments, StepFailure } from '../step/step-error.ts';
import { type ActOptions, type Attempt, NotYet } from './act-on-element.ts';

/**
 * Submits the form an element is or is in, by its first button that submits, as Enter in a field would: the page hears of it,
 * and what is filled in wrongly is not sent.
 */
export async function submitForm(
  locator: Locator,
  options: ActOptions,
  { found, did }: Attempt,
): Promise<void> {
  const form = await locator.elementHandle(options);
  try {
    const answer = await form.evaluate(submitInPage).catch((error: unknown) => {
      // It led away at once.
      if (isBetweenDocuments(error)) return 'submitted';
      did();
      throw error;
    });
    if (answer === 'gone') throw new NotYet('it is no longer there');
    if (answer !== 'submitted') throw new StepFailure('not_actionable', `${found.label} ${answer}`);
    did();
  } finally {
    void form.dispose().catch(() => {});
  }
}

/** Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. */
function submitInPage(element: Element): string {
  if (!element.isConnected) return 'gone';
  const own = element instanceof HTMLFormElement ? element : ((element as HTMLInputElement).form ?? null);
  const form = own instanceof HTMLFormElement ? own : element.closest('form');
  if (form === null) return 'is in no form';
  const submits = (each: Element): each is HTMLButtonElement | HTMLInputElement =>
    (each instanceof HTMLButtonElement && each.type === 'submit') ||
    (each instanceof HTMLInputElement && (each.type === 'submit' || each.type === 'image'));
  const button = submits(element) ? element : [...form.elements].find(submits);
  const others = form.querySelectorAll<HTMLInputElement>('input[type=image]');
  const submitter = button ?? others[0] ?? null;
  let isSubmitted = false;
  const hear = (): void => {
    isSubmitted = true;
  };
  form.addEventListener('submit', hear, { capture: true, once: true });
  form.requestSubmit(submitter);
  form.removeEventListener('submit', hear, { capture: true });
  if (isSubmitted) return 'submitted';
  const invalid = [...form.elements].find(
    (each) => each instanceof HTMLInputElement && !each.validity.valid,
  ) as HTMLInputElement | undefined;
  const field = invalid?.name || invalid?.id || invalid?.localName || 'a field';
  return `was not submitted: ${field} is not filled in rightly${invalid === undefined ? '' : ` (${invalid.validationMessage})`}`;
}
