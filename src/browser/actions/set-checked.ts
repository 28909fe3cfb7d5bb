import type { ElementHandle, Locator } from 'playwright-core';
import { duration } from '../../lib/duration.ts';
import { isBetweenDocuments, isTimeout, StepFailure } from '../step/step-error.ts';
import { type ActOptions, type Attempt, NotYet, wasDone } from './act-on-element.ts';
import type { Scene } from './scene.ts';

/**
 * Checks or unchecks what is there: a checkbox, a radio button, or anything with such a role; one that is hidden behind its label by
 * a click on the label. Clicks once at most, then waits until it shows. True when it had to be clicked.
 */
export async function setChecked(
  locator: Locator,
  checked: boolean,
  options: ActOptions,
  { found: { label }, did }: Attempt,
  scene: Scene,
): Promise<boolean> {
  const endsAt = performance.now() + options.timeout;
  const left = (): ActOptions => ({ ...options, timeout: Math.max(1, endsAt - performance.now()) });
  const box = (await locator.evaluateHandle(boxOf, undefined, options)).asElement() as Held | null;
  if (box === null) throw new StepFailure('not_actionable', `${label} is nothing that can be checked`);
  try {
    const state = await box.evaluate(stateInPage, Math.max(0, options.timeout - 200));
    if (typeof state === 'string') throw new NotYet(state);
    if (state.isOn === checked) return false;
    if (state.isRadio && !checked) {
      throw new StepFailure(
        'not_actionable',
        `${label} is a radio button: it is unchecked by checking another`,
      );
    }
    scene.ensureMayAct();
    try {
      if (state.isHidden) await clickLabel(box, left());
      else await box.click(left());
    } catch (error) {
      if (!isTimeout(error) || !wasDone(error)) throw error;
    }
    did();
    await untilItShows(box, checked, label, scene);
    return true;
  } finally {
    void box.dispose().catch(() => {});
  }
}

type Held = ElementHandle<SVGElement | HTMLElement>;

async function clickLabel(box: Held, options: ActOptions): Promise<void> {
  const labels = await box.evaluateHandle((input) => (input as HTMLInputElement).labels?.[0] ?? input);
  const label = labels.asElement() as Held | null;
  if (label === null) throw new NotYet('it is hidden');
  try {
    const height = (await label.boundingBox())?.height ?? 0;
    // At its beginning, where the box is drawn: there may be a link among its words.
    await label.click({ ...options, position: { x: 6, y: height / 2 } });
  } finally {
    void label.dispose().catch(() => {});
  }
}

async function untilItShows(box: Held, checked: boolean, label: string, { budget }: Scene): Promise<void> {
  const shows = box
    .evaluate(showsInPage, { checked, waitMs: Math.max(0, budget.remainingMs() - 100) })
    // The click led to another page, and so the box is gone.
    .catch((error: unknown) => {
      if (isBetweenDocuments(error)) return true;
      throw error;
    });
  if ((await budget.spend(shows)) === true) return;
  const how = checked ? 'checked' : 'unchecked';
  throw new StepFailure(
    'not_actionable',
    `${label} was clicked, but was not ${how} within ${duration(budget.timeoutMs)}`,
  );
}

// What follows runs IN THE PAGE, sent as source text: none of it may use anything from outside itself.

/** What is checked: the element, what it is the label of, or what is in it; null for nothing of the kind. */
function boxOf(element: Element): Element | null {
  const boxes =
    'input[type=checkbox],input[type=radio],[role=checkbox],[role=radio],[role=switch],[role=menuitemcheckbox],' +
    '[role=menuitemradio],[role=option],[role=treeitem]';
  if (element.matches(boxes)) return element;
  const control = element.closest('label')?.control ?? null;
  return control?.matches(boxes) === true ? control : element.querySelector(boxes);
}

/** A text says why it cannot be clicked yet. */
async function stateInPage(
  element: Element,
  waitMs: number,
): Promise<{ isOn: boolean; isRadio: boolean; isHidden: boolean } | string> {
  function isVisible(each: Element): boolean {
    const { width, height } = each.getBoundingClientRect();
    return (
      width > 0 && height > 0 && each.checkVisibility() && getComputedStyle(each).visibility === 'visible'
    );
  }

  const startedAt = performance.now();
  for (;;) {
    if (!element.isConnected) return 'it is no longer there';
    const isInput = element instanceof HTMLInputElement;
    const isOn = isInput ? element.checked : element.getAttribute('aria-checked') === 'true';
    const isRadio = isInput ? element.type === 'radio' : /radio/.test(element.getAttribute('role') ?? '');
    const isHidden = !isVisible(element);
    const label = isInput ? element.labels?.[0] : undefined;
    if (!isHidden || (label !== undefined && isVisible(label))) return { isOn, isRadio, isHidden };
    if (performance.now() - startedAt >= waitMs) return 'it is hidden';
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => resolve());
      setTimeout(resolve, 50);
    });
  }
}

/** True once it is as it was to be, or the page has taken it away. */
async function showsInPage(
  element: Element,
  { checked, waitMs }: { checked: boolean; waitMs: number },
): Promise<boolean> {
  const startedAt = performance.now();
  for (;;) {
    const isOn =
      element instanceof HTMLInputElement ? element.checked : element.getAttribute('aria-checked') === 'true';
    if (isOn === checked || !element.isConnected) return true;
    if (performance.now() - startedAt >= waitMs) return false;
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => resolve());
      setTimeout(resolve, 50);
    });
  }
}
