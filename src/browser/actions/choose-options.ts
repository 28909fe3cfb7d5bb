import type { Locator } from 'playwright-core';
import { isTimeout, StepFailure } from '../step/step-error.ts';
import { type ActOptions, type Attempt, NotYet } from './act-on-element.ts';

/** Which options of a select, and what becomes of those chosen before. */
export interface Choice {
  values: readonly string[];
  by: 'any' | 'label' | 'value' | 'index' | 'id';
  how: 'set' | 'add' | 'remove';
}

/**
 * Chooses options of a select as its visitor would: all at once, with one `input` and one `change` event. Waits for options that
 * come late. The labels of those that were chosen or taken away.
 */
export async function chooseOptions(
  locator: Locator,
  choice: Choice,
  options: ActOptions,
  { found, did }: Attempt,
): Promise<string[]> {
  const waitMs = Math.max(0, options.timeout - 100);
  const patient = { ...options, timeout: waitMs + answerMs };
  const answer = await locator.evaluate(chooseInPage, { ...choice, waitMs }, patient).catch((error) => {
    // A page that does not answer may have chosen all the same.
    if (isTimeout(error)) did();
    throw error;
  });
  if ('labels' in answer) return answer.labels;
  if ('no' in answer) throw new StepFailure('not_actionable', `${found.label}: ${answer.no}`);
  throw new NotYet(answer.notYet);
}

/** So long a page may take to answer once it need not wait any more. */
const answerMs = 600;

/** The option itself is chosen in the select it is in. */
export async function chooseOption(option: Locator, options: ActOptions, attempt: Attempt): Promise<void> {
  await chooseOptions(option, { values: [], by: 'any', how: 'set' }, options, attempt);
}

type Answer = { labels: string[] } | { notYet: string } | { no: string };

/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. Looks and chooses in one turn, so that
 * nothing of the page comes in between; given an option, it chooses that.
 */
async function chooseInPage(
  given: Element,
  { values, by, how, waitMs }: Choice & { waitMs: number },
): Promise<Answer> {
  const itself = given.closest('option');
  const label = given.closest('label');
  const named = itself?.closest('select') ?? given.closest('select') ?? label?.control ?? null;
  if (!(named instanceof HTMLSelectElement)) return { no: 'the element is no select' };
  const select = named;

  function fold(text: string): string {
    return text.trim().replace(/\s+/g, ' ');
  }

  function optionFor(value: string): HTMLOptionElement | undefined {
    const options = [...select.options];
    const ways = {
      value: () => options.find((option) => option.value === value),
      label: () =>
        options.find((option) => fold(option.label) === fold(value)) ??
        options.find((option) => fold(option.text) === fold(value)),
      id: () => options.find((option) => option.id !== '' && option.id === value),
      index: () => (/^\d+$/.test(value.trim()) ? options[Number(value)] : undefined),
    };
    return by === 'any' ? (ways.value() ?? ways.label() ?? ways.id()) : ways[by]();
  }

  function isOff(option: HTMLOptionElement): boolean {
    const group = option.closest('optgroup');
    return option.disabled || group?.disabled === true;
  }

  /** The options that are meant, or what stands in the way. */
  function wanted(): HTMLOptionElement[] | string {
    if (select.matches(':disabled')) return 'it is disabled';
    const found: HTMLOptionElement[] = itself === null ? [] : [itself];
    const missing: string[] = [];
    for (const value of values) {
      const option = optionFor(value);
      if (option === undefined) missing.push(value);
      else found.push(option);
    }
    if (missing.length > 0) {
      const there = [...select.options].slice(0, 20).map((option) => `"${fold(option.label).slice(0, 60)}"`);
      const rest = select.options.length > 20 ? ', …' : '';
      const kind = by === 'any' ? '' : ` by ${by}`;
      return `it has no option "${missing.join('", "')}"${kind}, only ${there.join(', ') || 'none'}${rest}`;
    }
    const off = how === 'remove' ? undefined : found.find(isOff);
    return off === undefined ? found : `its option "${fold(off.label)}" is disabled`;
  }

  const startedAt = performance.now();
  for (;;) {
    if (!select.isConnected || (itself !== null && !itself.isConnected)) {
      return { notYet: 'it is no longer there' };
    }
    const options = wanted();
    if (typeof options !== 'string') {
      if (!select.multiple && options.length > 1)
        return { no: 'only one option of this select can be chosen' };
      if (!select.multiple && how === 'remove')
        return { no: 'the select is for one option, none can be removed' };
      select.focus();
      for (const option of [...select.options]) {
        const isMeant = options.includes(option);
        if (how === 'set' && select.multiple) option.selected = isMeant;
        else if (isMeant) option.selected = how !== 'remove';
      }
      if (how === 'set' && options.length === 0 && !select.multiple) select.selectedIndex = -1;
      select.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
      select.dispatchEvent(new Event('change', { bubbles: true }));
      return { labels: options.map((option) => fold(option.label)) };
    }
    if (performance.now() - startedAt >= waitMs) return { notYet: options };
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => resolve());
      setTimeout(resolve, 50);
    });
  }
}
