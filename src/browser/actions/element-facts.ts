import { findInPage } from '../locating/find-in-page.ts';
import { composedForPage } from '../locating/page-source.ts';
import type { InPagePart } from '../locating/read-candidate.ts';
import { isDisabledInPage, isShownInPage, textInPage } from '../locating/rules-in-page.ts';

/** What is read of elements; what is not asked for is not read. */
export interface FactsAsked {
  /** The element's text, as an assertion compares it. */
  text?: boolean;
  /** Whether it stands still from one frame to the next. */
  box?: boolean;
  attributes?: readonly string[];
  /** Names, or paths with dots. */
  properties?: readonly string[];
  /** Of every match and not of the first one only. */
  ofAll?: boolean;
}

/** One look at what a selector matches. */
export interface FactsRequest {
  /** The way to them, as the page itself can go it; null where only Playwright's engines can. */
  way: readonly InPagePart[] | null;
  asked: FactsAsked;
  /** The last answer as JSON: the look returns when the answer is another one. Empty for an answer at once. */
  known: string;
  /** Longest to wait for another answer. */
  waitMs: number;
}

/** What is so of one element. */
export interface ElementFacts {
  isVisible: boolean;
  isEnabled: boolean;
  isEditable: boolean;
  isChecked: boolean;
  isFocused: boolean;
  isStable: boolean;
  value: string;
  /** Labels of the chosen options of a select; null for anything else. */
  selected: string[] | null;
  text: string;
  /** The text as people see it, where that is another one. */
  shownText?: string;
  /** In the order asked for; null for one that is not there. */
  attributes: (string | null)[];
  /** The same as JSON; null for what has none. */
  properties: (string | null)[];
}

/** What one selector matches in the page. */
export interface Reading {
  matches: number;
  visible: number;
  /** Of the first match that is visible, or else of the first. */
  first: ElementFacts | null;
  /** Of every match, up to 1000, where that was asked for. */
  all: ElementFacts[];
}

/**
 * Runs IN THE PAGE. Tells what is so of elements that a selector engine has found, and waits, frame by frame, for an answer other than the
 * known one.
 */
export const readFacts: (given: readonly Element[], request: FactsRequest) => Promise<Reading> =
  composedForPage(read, findInPage, isShownInPage, isDisabledInPage, textInPage);

/** Sent as source text: it must not use anything from outside itself but what it is given. */
async function read(
  find: typeof findInPage,
  isVisible: typeof isShownInPage,
  isDisabled: typeof isDisabledInPage,
  textOf: typeof textInPage,
  given: readonly Element[],
  { way, asked, known, waitMs }: FactsRequest,
): Promise<Reading> {
  const { attributes = [], properties = [] } = asked;
  const boxes = new Map<Element, { box: string; frames: number }>();

  function isEnabled(element: Element): boolean {
    return !isDisabled(element);
  }

  function isEditable(element: Element): boolean {
    if (!isEnabled(element)) return false;
    if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)
      return !element.readOnly;
    // A button has nothing to write, but Selenium asks the same of it and means that it is on.
    return ['SELECT', 'BUTTON'].includes(element.tagName) || isContentEditable(element);
  }

  function isContentEditable(element: Element): element is HTMLElement {
    return element instanceof HTMLElement && element.isContentEditable;
  }

  function isChecked(element: Element): boolean {
    if (element instanceof HTMLInputElement) return element.checked;
    if (element instanceof HTMLOptionElement) return element.selected;
    return element.getAttribute('aria-checked') === 'true';
  }

  function isFocused(element: Element): boolean {
    const root = element.getRootNode();
    return (root instanceof Document || root instanceof ShadowRoot) && root.activeElement === element;
  }

  function fieldValueOf(element: Element): string {
    const value: unknown = Reflect.get(element, 'value');
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    return isContentEditable(element) ? element.innerText : (element.getAttribute('value') ?? '');
  }

  // A style is told as the browser understands it, however it was written.
  function attributeOf(element: Element, name: string): string | null {
    const isStyled = element instanceof HTMLElement || element instanceof SVGElement;
    if (name.toLowerCase() !== 'style' || !isStyled) return element.getAttribute(name);
    return element.hasAttribute('style') || element.style.length > 0 ? element.style.cssText : null;
  }

  function propertyOf(element: Element, path: string): string | null {
    try {
      const names = path in element ? [path] : path.split('.');
      const value = names.reduce<unknown>(
        (at, name) => (at === null || at === undefined ? undefined : Reflect.get(Object(at), name)),
        element,
      );
      return JSON.stringify(value) ?? null;
    } catch {
      return null;
    }
  }

  function standsStill(element: Element): boolean {
    const { x, y, width, height } = element.getBoundingClientRect();
    const box = [x, y, width, height].join();
    const before = boxes.get(element);
    const frames = before?.box === box ? before.frames + 1 : 0;
    boxes.set(element, { box, frames });
    return frames >= 2;
  }

  function factsOf(element: Element, isSeen: boolean): ElementFacts {
    const control = element instanceof HTMLLabelElement ? (element.control ?? element) : element;
    const text = asked.text === true ? textOf(element).slice(0, 1_000_000) : '';
    const shownText =
      asked.text === true && element instanceof HTMLElement ? element.innerText.slice(0, 1_000_000) : text;
    return {
      isVisible: isSeen,
      isEnabled: isEnabled(control),
      isEditable: isEditable(control),
      isChecked: isChecked(control),
      isFocused: isFocused(control),
      isStable: asked.box === true && standsStill(element),
      value: fieldValueOf(control),
      selected:
        control instanceof HTMLSelectElement ? [...control.selectedOptions].map(({ label }) => label) : null,
      text,
      ...(shownText === text ? {} : { shownText }),
      attributes: attributes.map((name) => attributeOf(element, name)),
      properties: properties.map((name) => propertyOf(element, name)),
    };
  }

  function readingOf(elements: readonly Element[]): Reading {
    const seen = elements.map(isVisible);
    const at = Math.max(0, seen.indexOf(true));
    const first = elements[at];
    return {
      matches: elements.length,
      visible: seen.filter(Boolean).length,
      first: first === undefined ? null : factsOf(first, seen[at] === true),
      all:
        asked.ofAll === true
          ? elements.slice(0, 1_000).map((each, index) => factsOf(each, seen[index] === true))
          : [],
    };
  }

  function foundHere(): Element[] | null {
    try {
      return way === null ? null : find(way, document);
    } catch {
      return null;
    }
  }

  async function nextFrame(): Promise<void> {
    await new Promise<void>((resolve) => {
      requestAnimationFrame(() => resolve());
      // Pages in the background get no frames; what stands still is seen by frames only, however late they come.
      setTimeout(resolve, asked.box === true ? 500 : 50);
    });
  }

  const startedAt = performance.now();
  const here = foundHere();
  const isSame =
    here !== null && here.length === given.length && here.every((each, at) => each === given[at]);
  // What another engine has found is looked for again by that engine, soon.
  const longestMs = isSame ? waitMs : Math.min(waitMs, 20);
  if (asked.box === true) {
    for (let frame = 0; frame < 2; frame += 1) {
      readingOf(given);
      await nextFrame();
    }
  }
  for (;;) {
    const reading = readingOf(isSame ? (foundHere() ?? []) : given);
    if (JSON.stringify(reading) !== known || performance.now() - startedAt >= longestMs) return reading;
    await nextFrame();
  }
}
