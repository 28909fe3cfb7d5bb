import type { Locator } from 'playwright-core';
import { type ActOptions, NotYet } from './act-on-element.ts';

/** Where the caret goes in the element: stays where it is, behind its text, or over all of it. */
export type Caret = 'stay' | 'end' | 'all';

/** Puts the keyboard on the element, or on the field it is the label of. Throws NotYet while it takes none. */
export async function takeFocus(locator: Locator, caret: Caret, options: ActOptions): Promise<void> {
  const waitMs = Math.max(0, options.timeout - 100);
  // A page under load gets a moment to answer beyond the wait: what it says is better than silence.
  const patient = { ...options, timeout: waitMs + 600 };
  const took = await locator.evaluate(focusInPage, { caret, waitMs }, patient);
  if (took !== 'focused') throw new NotYet(took);
}

/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. Tries frame by frame: an element that is
 * disabled or hidden takes no focus yet. Gives `focused`, or why not.
 */
async function focusInPage(
  given: Element,
  { caret, waitMs }: { caret: 'stay' | 'end' | 'all'; waitMs: number },
): Promise<string> {
  const label = given.closest('label');
  const element = (label !== null && !given.matches(fields()) ? label.control : null) ?? given;

  function fields(): string {
    return 'input,select,textarea,button,a[href],[tabindex],[contenteditable]';
  }

  function hasFocus(): boolean {
    for (let active = document.activeElement; active !== null; ) {
      if (active === element || element.contains(active)) return true;
      // The editable element around it has the keyboard for it.
      if (active instanceof HTMLElement && active.isContentEditable && active.contains(element)) return true;
      active = active.shadowRoot?.activeElement ?? null;
    }
    return false;
  }

  function placeCaret(): void {
    if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) {
      if (caret === 'all') {
        element.select();
        return;
      }
      try {
        element.setSelectionRange(element.value.length, element.value.length);
      } catch {
        // Fields for numbers and addresses have no such range: what is selected whole is left towards its end.
        element.select();
        getSelection()?.collapseToEnd();
      }
      return;
    }
    const selection = getSelection();
    if (selection === null || !(element instanceof HTMLElement) || !element.isContentEditable) return;
    selection.selectAllChildren(element);
    if (caret === 'end') selection.collapseToEnd();
  }

  const startedAt = performance.now();
  for (;;) {
    if (!element.isConnected) return 'it is no longer there';
    if (!hasFocus() && (element instanceof HTMLElement || element instanceof SVGElement)) element.focus();
    if (!hasFocus() && element instanceof HTMLElement && element.isContentEditable) {
      const host = element.closest<HTMLElement>('[contenteditable]:not([contenteditable=false])');
      host?.focus();
    }
    if (hasFocus()) {
      if (caret !== 'stay') placeCaret();
      return 'focused';
    }
    if (performance.now() - startedAt >= waitMs) return 'it does not take the keyboard';
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => resolve());
      setTimeout(resolve, 50);
    });
  }
}
