import type { Locator } from 'playwright-core';
import { duration } from '../../lib/duration.ts';
import { isTimeout, StepFailure } from '../step/step-error.ts';
import type { ActOptions, Attempt } from './act-on-element.ts';
import { chooseOptions } from './choose-options.ts';
import type { Scene } from './scene.ts';
import { setChecked } from './set-checked.ts';
import { takeFocus } from './take-focus.ts';

/** Puts the value into whatever takes one: a field gets the text, a select the option, a checkbox true or false. */
export async function putValue(
  locator: Locator,
  value: string,
  options: ActOptions,
  attempt: Attempt,
  scene: Scene,
): Promise<void> {
  try {
    return await locator.fill(value, options);
  } catch (error) {
    if (isTimeout(error) || !/cannot be filled|is not an <input>/.test(String(error))) throw error;
    const kind = await locator.evaluate(kindInPage, undefined, options);
    if (kind === 'select') {
      await chooseOptions(locator, { values: [value], by: 'any', how: 'set' }, options, attempt);
    } else if (kind === 'box') {
      await setChecked(locator, isYes(value), options, attempt, scene);
    } else if (kind === 'file') {
      throw new StepFailure('not_actionable', `${attempt.found.label} takes files: use an upload step`);
    } else throw error;
  }
}

function isYes(value: string): boolean {
  const word = value.trim().toLowerCase();
  if (['true', 'on', 'yes', '1', 'checked'].includes(word)) return true;
  if (['false', 'off', 'no', '0', ''].includes(word)) return false;
  throw new StepFailure(
    'invalid_data',
    `value: "${value}" is neither true nor false, which a checkbox takes`,
  );
}

/** Types key by key, as a visitor would: behind what is there (`append`), or in its place. */
export async function typeKeys(
  locator: Locator,
  { value, how, delayMs }: { value: string; how: 'append' | 'keys'; delayMs: number },
  options: ActOptions,
  { found, begin }: Attempt,
  { page: { keyboard }, budget, halt }: Scene,
): Promise<void> {
  await takeFocus(locator, how === 'append' ? 'end' : 'all', options);
  begin();
  let isOver = false;
  const type = async (): Promise<true> => {
    if (value === '' && how === 'keys') await keyboard.press('Delete');
    // One at a time: what types on after its step is over mixes with the steps behind it.
    for (const key of value) {
      if (isOver || halt.aborted) break;
      await keyboard.type(key, { delay: delayMs });
    }
    return true;
  };
  const isTyped = await budget.spend(type()).finally(() => {
    isOver = true;
  });
  if (isTyped !== null) return;
  throw new StepFailure(
    'timeout',
    `${found.label} did not take the whole text within ${duration(budget.timeoutMs)}`,
  );
}

/** Replaces what is in an editable element by HTML, as pasting over all of it would. */
export async function putHtml(
  locator: Locator,
  value: string,
  options: ActOptions,
  { found }: Attempt,
): Promise<void> {
  const isPut = await locator.evaluate(putHtmlInPage, value, options);
  if (isPut) return;
  throw new StepFailure(
    'not_actionable',
    `${found.label} is not editable as a whole: html is for elements with contenteditable`,
  );
}

// What follows runs IN THE PAGE, sent as source text: none of it may use anything from outside itself.

function kindInPage(element: Element): 'select' | 'box' | 'file' | 'other' {
  const control = element.closest('label')?.control ?? element;
  const roles = /^(?:checkbox|radio|switch|menuitemcheckbox|menuitemradio)$/;
  if (element.closest('select') !== null || control instanceof HTMLSelectElement) return 'select';
  if (control instanceof HTMLInputElement && /^(?:checkbox|radio)$/.test(control.type)) return 'box';
  if (control instanceof HTMLInputElement && control.type === 'file') return 'file';
  return roles.test(element.getAttribute('role') ?? '') ? 'box' : 'other';
}

function putHtmlInPage(element: Element, html: string): boolean {
  if (!(element instanceof HTMLElement) || !element.isContentEditable) return false;
  element.focus();
  element.innerHTML = html;
  element.dispatchEvent(
    new InputEvent('input', { bubbles: true, composed: true, inputType: 'insertFromPaste' }),
  );
  element.dispatchEvent(new Event('change', { bubbles: true }));
  return true;
}
